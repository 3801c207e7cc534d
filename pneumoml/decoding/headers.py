"""Reads format, size and colour mode of a JPEG or PNG from its header; decodes and inflates nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_MODES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey+alpha", 6: "RGBA"}
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_JPEG_MODES = {1: "grey", 3: "RGB", 4: "CMYK"}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_LS_FRAME = 0xF7
_JPEG_SUPPORTED = frozenset({0xC0, 0xC1, 0xC2})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_MAX_SEGMENTS = 10_000

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "an HEIC or AVIF picture or a video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
)


class ImageRefused(ValueError):  # noqa: N818 - the name says what happened to the film
    """A film that is not accepted: `code` for programs, `message` (one or two sentences) for people.

    The message is `template % params`, as in Django's ValidationError, so that an application can translate
    the template.
    """

    def __init__(self, code: str, template: str, params: Mapping[str, str | int] | None = None) -> None:
        self.code, self.template, self.params = code, template, dict(params or {})
        self.message = template % self.params
        super().__init__(self.message)


@dataclass(frozen=True)
class ImageHeader:
    """What the header declares: `format` JPEG or PNG; `mode` grey, grey+alpha, RGB, RGBA, palette or CMYK.

    Width and height in pixels as stored (before any EXIF rotation), `bit_depth` per channel.
    """

    format: str
    width: int
    height: int
    mode: str
    bit_depth: int
    frames: int


def read_header(data: bytes) -> ImageHeader:
    """Read the header of a JPEG or PNG.

    Raises `ImageRefused` (not_an_image, unsupported_format, broken_header).
    """
    if data.startswith(_PNG_SIGNATURE):
        return _read_png(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(data)
    raise _other_format(data)


def _other_format(data: bytes) -> ImageRefused:
    for offset, signature, name in _OTHERS:
        if data[offset : offset + len(signature)] == signature:
            template = "This is %(format)s. Export the film as JPEG or PNG."
            return ImageRefused("unsupported_format", template, {"format": name})
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<"):
        return ImageRefused(
            "unsupported_format", "This is a web page or an SVG drawing, not a film. Upload the film itself."
        )
    return ImageRefused(
        "not_an_image", "This is not a JPEG or PNG picture, nor a DICOM file. Upload the film as one of them."
    )


def broken_header(file_format: str) -> ImageRefused:
    """Return the refusal of a file whose header cannot be parsed."""
    template = "The %(format)s header is damaged. Export or copy the film again."
    return ImageRefused("broken_header", template, {"format": file_format})


def _read_png(data: bytes) -> ImageHeader:
    if len(data) < 33 or data[12:16] != b"IHDR" or data[8:12] != b"\x00\x00\x00\x0d":
        raise broken_header("PNG")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if depth not in _PNG_DEPTHS.get(colour, ()):
        raise broken_header("PNG")
    frames = 1
    for name, body in _png_chunks(data):
        if name == b"acTL" and len(body) == 8:
            # One animated frame beside a still picture is still two pictures.
            frames = max(2, struct.unpack(">I", body[:4])[0])
    return ImageHeader("PNG", width, height, _PNG_MODES[colour], depth, frames)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, body) of the chunks before the pixel data."""
    position = len(_PNG_SIGNATURE)
    for _ in range(_MAX_SEGMENTS):
        head = data[position : position + 8]
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], data[position + 8 : position + 8 + min(length, 64)]
        position += 12 + length
    raise broken_header("PNG")


def png_is_whole(data: bytes) -> bool:
    """Return whether every critical chunk up to IEND is present with a valid checksum (PNG, 3rd ed., §5.3).

    Pillow does not check those of the pixel data, and a film with altered pixels must not be read.
    """
    position, view = len(_PNG_SIGNATURE), memoryview(data)
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(view[position : position + 4], "big")
        name = bytes(view[position + 4 : position + 8])
        is_critical = not name[0] & 0x20
        if is_critical and zlib.crc32(view[position + 4 : end]).to_bytes(4, "big") != view[end : end + 4]:
            return False
        if name == b"IEND":
            return True
        position = end + 4
    return False


def _read_jpeg(data: bytes) -> ImageHeader:
    frames = 1
    for marker, body in _jpeg_segments(data):
        if marker == 0xE2 and body.startswith(b"MPF\x00"):
            frames = max(frames, _mpf_frames(body[4:]))
        if marker in _JPEG_FRAMES:
            if marker not in _JPEG_SUPPORTED:
                raise ImageRefused(
                    "unsupported_format",
                    "This is a lossless or arithmetic-coded JPEG. Export the film as ordinary JPEG or PNG.",
                )
            if len(body) < 6 or body[5] not in _JPEG_MODES:
                raise broken_header("JPEG")
            depth, height, width, components = struct.unpack(">BHHB", body[:6])
            return ImageHeader("JPEG", width, height, _JPEG_MODES[components], depth, frames)
    raise broken_header("JPEG")


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of any kind of JPEG, lossless ones and JPEG-LS too; None without a frame."""
    for marker, body in _jpeg_segments(data):
        if marker in _JPEG_FRAMES or marker == _JPEG_LS_FRAME:
            height, width = struct.unpack(">HH", body[1:5].ljust(4, b"\0"))
            return width, height
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, body) of the segments up to the start of the pixel data."""
    position = 2
    for _ in range(_MAX_SEGMENTS):
        while data[position : position + 2] == b"\xff\xff":  # padding
            position += 1
        if position + 4 > len(data) or data[position] != 0xFF:
            return
        marker = data[position + 1]
        if marker in _JPEG_BARE:
            position += 2
            continue
        if marker in (0xD9, 0xDA):
            return
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2:
            return
        yield marker, data[position + 4 : position + 2 + length]
        position += 2 + length


def _mpf_frames(body: bytes) -> int:
    """Return the number of pictures in a multi-picture index (CIPA DC-007); 2 where it cannot be parsed."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(body[:4])
    if order is None or len(body) < 10:
        return 2
    start = struct.unpack(order + "I", body[4:8])[0]
    if start + 2 > len(body):
        return 2
    entries = struct.unpack(order + "H", body[start : start + 2])[0]
    for index in range(min(entries, 16)):
        entry = body[start + 2 + 12 * index : start + 14 + 12 * index]
        if len(entry) == 12 and struct.unpack(order + "H", entry[:2])[0] == 0xB001:
            return int(struct.unpack(order + "I", entry[8:])[0])
    return 2
