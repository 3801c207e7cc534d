"""Hostile and odd files, made in code, each with its expected outcome: accepted, or refused with a code."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.support.inputs import films
from tests.support.inputs.films import chunk
from tests.support.inputs.hostile_dicom import DICOMS

ACCEPTED = "accepted"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Kind:
    """How to make one kind of file, and its declared outcome: ACCEPTED or the code of the refusal."""

    make: Callable[[], bytes]
    outcome: str


def small() -> bytes:
    """A PNG film of 96 × 80 pixels."""
    return films.png(films.chest_like(80, 96))


def small_jpeg() -> bytes:
    """A JPEG film of the same size."""
    return films.jpeg(films.chest_like(80, 96))


def photo_as(format_: str, **options: object) -> bytes:
    """Return the film in another format that Pillow writes."""
    buffer = io.BytesIO()
    Image.fromarray(films.chest_like(80, 96)).save(buffer, format_, **options)
    return buffer.getvalue()


def cut(make: Callable[[], bytes], share: int) -> bytes:
    """The first `share` percent of a file."""
    return films.truncated(make(), share / 100)


# --- PNG, chunk by chunk ------------------------------------------------------------------------------


def png_of(*, width: int, height: int, depth: int, colour: int, rows: bytes, interlace: int = 0) -> bytes:
    """Return a PNG with this header and these filtered rows, whether or not they fit each other."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return films.PNG_SIGNATURE + body


def png_with(*extra: bytes) -> bytes:
    """Return the small film with chunks inserted after its header."""
    data = small()
    return data[:33] + b"".join(extra) + data[33:]


def plain_png(side: tuple[int, int], depth: int, colour: int, channels: int) -> bytes:
    """A black PNG of any size in a few kilobytes, its rows compressed piece by piece."""
    width, height = side
    row = bytes(1 + (width * depth * channels + 7) // 8)
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(3)) if colour == 3 else b""
    return films.PNG_SIGNATURE + header + palette + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def palette_png(entries: int, index: int) -> bytes:
    """64 × 64 pixels that all point to `index` of a palette with `entries` greys."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 3, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(range(entries)) * 3) if entries else b""
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + bytes([index]) * 64) * 64))
    return films.PNG_SIGNATURE + header + palette + pixels + chunk(b"IEND", b"")


def wrong_crc(name: bytes) -> bytes:
    """The small film with the checksum of one chunk spoilt."""
    data = bytearray(small())
    at = data.index(name)
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 + length] ^= 0xFF
    return bytes(data)


def bad_filter() -> bytes:
    """Rows with a filter type that does not exist."""
    return png_of(width=64, height=64, depth=8, colour=0, rows=(b"\x09" + bytes(64)) * 64)


def bad_interlace() -> bytes:
    """An interlace method that does not exist."""
    return png_of(width=64, height=64, depth=8, colour=0, rows=bytes(65 * 64), interlace=9)


def interlaced() -> bytes:
    """A 64 × 64 PNG in Adam7, every pass filtered with type 0."""
    passes = ((8, 8), (8, 8), (16, 8), (16, 16), (32, 16), (32, 32), (64, 32))
    rows = b"".join((b"\0" + bytes([90]) * width) * height for width, height in passes)
    return png_of(width=64, height=64, depth=8, colour=0, rows=rows, interlace=1)


def too_many_rows() -> bytes:
    """Forty times the rows that the header declares."""
    return png_of(width=64, height=64, depth=8, colour=0, rows=bytes(65 * 64 * 40))


def length_beyond_end() -> bytes:
    """A chunk that claims to be two gigabytes long."""
    return png_with(struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + b"Comment\0x")


def many_chunks() -> bytes:
    """Twenty thousand empty chunks."""
    return png_with(chunk(b"tEXt", b"k\0v") * 20_000)


def text_bomb(name: bytes, head: bytes) -> bytes:
    """A compressed text or profile chunk of 50 MB in 50 KB."""
    return png_with(chunk(name, head + zlib.compress(bytes(50 * MEGABYTE), 9)))


def many_text_bombs() -> bytes:
    """Two hundred compressed texts just below the limit of a single one."""
    text = zlib.compress(bytes(MEGABYTE - 1000), 9)
    return png_with(*(chunk(b"zTXt", b"k%d\0\0" % number + text) for number in range(200)))


# --- JPEG, segment by segment ---------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*extra: bytes) -> bytes:
    """The small film with segments inserted after its start."""
    data = small_jpeg()
    return data[:2] + b"".join(extra) + data[2:]


def jpeg_as(frame: int) -> bytes:
    """The small film claiming another coding: SOF3 lossless, SOF9 arithmetic …"""
    data = bytearray(small_jpeg())
    data[data.index(b"\xff\xc0") + 1] = frame
    return bytes(data)


def jpeg_without(marker: int) -> bytes:
    """The small film without the first segment of this kind."""
    data = small_jpeg()
    at = data.index(bytes([0xFF, marker]))
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def exif(*entries: tuple[int, int, int, int], next_ifd: int = 0) -> bytes:
    """A JPEG whose EXIF directory holds (tag, type, count, value) entries and points to `next_ifd`."""
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", next_ifd)
    return jpeg_with(segment(0xE1, b"Exif\0\0" + b"II*\0\x08\0\0\0" + directory))


def scan_bomb(scans: int = 4000, side: int = 4096) -> bytes:
    """A progressive JPEG whose last scan is repeated: little to send, hours of work."""
    data = films.jpeg(np.full((side, side), 120, np.uint8), progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * scans + data[-2:]


def huge_icc(megabytes: int = 8) -> bytes:
    """A colour profile in as many segments as may be."""
    part = bytes(65_000)
    count = min(255, megabytes * MEGABYTE // len(part))
    return jpeg_with(*(segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, count]) + part) for n in range(count)))


# --- Two things in one --------------------------------------------------------------------------------------


def zip_of(name: str = "film.png") -> bytes:
    """A real ZIP archive with a film in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, small())
    return buffer.getvalue()


def png_with_page() -> bytes:
    """A film that is also a web page with a script, in a text chunk."""
    info = PngInfo()
    info.add_text("Comment", "<html><script>alert(document.domain)</script></html>")
    return films.encode(films.chest_like(80, 96), "PNG", pnginfo=info)


def random_behind(signature: bytes) -> bytes:
    """Noise with the signature of a picture."""
    return signature + np.random.default_rng(7).bytes(20_000)


_JPEG_START = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_LARGEST = (6324, 6324)  # just below 40 million pixels

NO_PICTURES = {
    "nothing": Kind(lambda: b"", "empty_file"),
    "one byte": Kind(lambda: b"\x89", "not_an_image"),
    "a line break": Kind(lambda: b"\n", "not_an_image"),
    "text": Kind(lambda: films.NOT_FILMS["text"], "not_an_image"),
    "zeros": Kind(lambda: bytes(400), "not_an_image"),
    "noise": Kind(lambda: random_behind(b"\x01"), "not_an_image"),
    "60 MB": Kind(lambda: films.PNG_SIGNATURE + bytes(60 * MEGABYTE), "file_too_large"),
    "half a PNG signature": Kind(lambda: films.PNG_SIGNATURE[:4], "not_an_image"),
    "JPEG start alone": Kind(lambda: b"\xff\xd8", "not_an_image"),
    "an executable": Kind(lambda: b"\x7fELF" + bytes(200), "not_an_image"),
    "a Windows program": Kind(lambda: b"MZ" + bytes(200), "not_an_image"),
    "Photoshop": Kind(lambda: b"8BPS\0\1" + bytes(200), "not_an_image"),
    "an icon": Kind(lambda: photo_as("ICO", sizes=[(32, 32)]), "not_an_image"),
    "PCX": Kind(lambda: photo_as("PCX"), "not_an_image"),
    "PPM": Kind(lambda: photo_as("PPM"), "not_an_image"),
    "EPS": Kind(lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image"),
    "a pickle": Kind(lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR.", "not_an_image"),
    "GIF": Kind(lambda: photo_as("GIF"), "unsupported_format"),
    "BMP": Kind(lambda: photo_as("BMP"), "unsupported_format"),
    "TIFF": Kind(lambda: photo_as("TIFF"), "unsupported_format"),
    "WebP": Kind(lambda: photo_as("WEBP"), "unsupported_format"),
    "AVIF": Kind(lambda: films.NOT_FILMS["heic"], "unsupported_format"),
    "JPEG 2000": Kind(lambda: photo_as("JPEG2000"), "unsupported_format"),
    "PDF": Kind(lambda: photo_as("PDF"), "unsupported_format"),
    "ZIP": Kind(zip_of, "unsupported_format"),
    "ZIP that climbs out": Kind(lambda: zip_of("../../etc/passwd"), "unsupported_format"),
    "gzip": Kind(lambda: films.NOT_FILMS["gzip"], "unsupported_format"),
    "DICOM signature and zeros": Kind(lambda: films.NOT_FILMS["dicom"], "dicom_transfer_syntax"),
    "a program with a DICOM signature": Kind(
        lambda: b"MZ" + bytes(126) + b"DICM" + bytes(99), "dicom_transfer_syntax"
    ),
    "SVG": Kind(lambda: films.NOT_FILMS["svg"], "unsupported_format"),
    "SVG behind a mark and blanks": Kind(lambda: b"\xef\xbb\xbf \r\n\t<svg/>", "unsupported_format"),
    "HTML": Kind(lambda: films.NOT_FILMS["html"], "unsupported_format"),
    "XML that reads a file": Kind(
        lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', "unsupported_format"
    ),
}

PNGS = {
    "400 million pixels": Kind(cache(films.bomb_png), "too_many_pixels"),
    "a hundred pixels wide, a million high": Kind(lambda: films.png_claiming(100, 10**6), "too_many_pixels"),
    "the largest size there is": Kind(lambda: films.png_claiming(2**31 - 1, 2**31 - 1), "too_many_pixels"),
    "a size beyond the largest": Kind(lambda: films.png_claiming(2**32 - 1, 2**32 - 1), "too_many_pixels"),
    "larger than its pixels": Kind(lambda: films.png_claiming(4000, 4000), "broken_image"),
    "no width": Kind(lambda: films.png_claiming(0, 100), "zero_size"),
    "no height": Kind(lambda: films.png_claiming(100, 0), "zero_size"),
    "one pixel": Kind(lambda: films.png_claiming(1, 1), "too_small"),
    "thirty-one pixels": Kind(lambda: films.png(films.chest_like(31, 31)), "too_small"),
    "a second header": Kind(films.png_with_second_header, "broken_image"),
    "no header": Kind(lambda: films.PNG_SIGNATURE + small()[33:], "broken_header"),
    "signature alone": Kind(lambda: films.PNG_SIGNATURE, "broken_header"),
    "signature and noise": Kind(lambda: random_behind(films.PNG_SIGNATURE), "broken_header"),
    "no pixels": Kind(lambda: films.PNG_SIGNATURE + small()[8:33] + chunk(b"IEND", b""), "broken_image"),
    "a depth of three bits": Kind(lambda: films.png_claiming(64, 64, depth=3), "broken_header"),
    "an unknown colour type": Kind(lambda: films.png_claiming(64, 64, colour=5), "broken_header"),
    "a filter that does not exist": Kind(bad_filter, "broken_image"),
    "an interlace that does not exist": Kind(bad_interlace, "broken_image"),
    "too many rows": Kind(too_many_rows, ACCEPTED),
    "pixels that are no zlib": Kind(lambda: small().replace(b"IDAT\x78", b"IDAT\x00"), "broken_image"),
    "a wrong checksum of the header": Kind(lambda: wrong_crc(b"IHDR"), "broken_image"),
    "a wrong checksum of the pixels": Kind(lambda: wrong_crc(b"IDAT"), "broken_image"),
    "a chunk beyond the end": Kind(length_beyond_end, "broken_image"),
    "twenty thousand chunks": Kind(many_chunks, "broken_header"),
    "a profile of 50 MB": Kind(lambda: text_bomb(b"iCCP", b"p\0\0"), "broken_image"),
    "a text of 50 MB": Kind(lambda: text_bomb(b"zTXt", b"k\0\0"), "broken_image"),
    "an international text of 50 MB": Kind(lambda: text_bomb(b"iTXt", b"k\0\1\0\0\0"), "broken_image"),
    "two hundred texts of 1 MB": Kind(many_text_bombs, "broken_image"),
    "EXIF noise": Kind(lambda: png_with(chunk(b"eXIf", random_behind(b"II*\0"))), ACCEPTED),
    "animated": Kind(films.animated_png, "several_frames"),
    "animated with one frame": Kind(
        lambda: png_with(chunk(b"acTL", struct.pack(">II", 1, 0))), "several_frames"
    ),
    "animated with billions of frames": Kind(
        lambda: png_with(chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0))), "several_frames"
    ),
    "one bit": Kind(films.bilevel_png, ACCEPTED),
    "16 bits": Kind(lambda: films.png(films.chest_like_16bit()), ACCEPTED),
    "16 bits, all alike": Kind(lambda: films.png(np.full((64, 64), 9, np.uint16)), ACCEPTED),
    "palette": Kind(films.palette_png, ACCEPTED),
    "palette with too few entries": Kind(lambda: palette_png(2, 200), ACCEPTED),
    "palette without a palette": Kind(lambda: palette_png(0, 1), ACCEPTED),
    "transparent": Kind(films.transparent_png, ACCEPTED),
    "interlaced": Kind(interlaced, ACCEPTED),
    "a web page in a text": Kind(png_with_page, ACCEPTED),
    "a web page behind it": Kind(lambda: small() + films.NOT_FILMS["html"], ACCEPTED),
    "an archive behind it": Kind(lambda: small() + zip_of(), ACCEPTED),
    "the largest grey film": Kind(lambda: plain_png(_LARGEST, 8, 0, 1), ACCEPTED),
    "a large 16-bit film": Kind(lambda: plain_png((4000, 4000), 16, 0, 1), ACCEPTED),
    "a large 16-bit colour film with transparency": Kind(lambda: plain_png((4000, 4000), 16, 6, 4), ACCEPTED),
    "a large palette film": Kind(lambda: plain_png((4000, 4000), 8, 3, 1), ACCEPTED),
    **{
        f"cut after {share} %": Kind(partial(cut, small, share), "broken_image")
        for share in (1, 5, 20, 35, 50, 65, 80, 90, 95, 99)
    },
}

JPEGS = {
    "progressive": Kind(lambda: films.jpeg(progressive=True), ACCEPTED),
    "turned": Kind(lambda: films.rotated_jpeg(8), ACCEPTED),
    "turned in a way that does not exist": Kind(lambda: films.rotated_jpeg(99), ACCEPTED),
    "colour": Kind(lambda: films.jpeg(films.photograph()), ACCEPTED),
    "CMYK": Kind(films.cmyk_jpeg, "colour_space"),
    "two pictures": Kind(films.multi_picture_jpeg, "several_frames"),
    "arithmetic-coded": Kind(lambda: jpeg_as(0xC9), "unsupported_format"),
    "lossless": Kind(lambda: jpeg_as(0xC3), "unsupported_format"),
    "hierarchical": Kind(lambda: jpeg_as(0xC5), "unsupported_format"),
    "progressive by its marker only": Kind(lambda: jpeg_as(0xC2), "broken_image"),
    "4 thousand million pixels": Kind(lambda: films.jpeg_claiming(65535, 65535), "too_many_pixels"),
    # libjpeg fills what is missing with grey and takes standard Huffman tables for missing ones; it calls
    # both a warning, which Pillow does not pass on.
    "larger than its pixels": Kind(lambda: films.jpeg_claiming(3000, 3000), ACCEPTED),
    "no width": Kind(lambda: films.jpeg_claiming(0, 64), "zero_size"),
    "no height": Kind(lambda: films.jpeg_claiming(64, 0), "zero_size"),
    "no quantisation table": Kind(lambda: jpeg_without(0xDB), "broken_image"),
    "no Huffman table": Kind(lambda: jpeg_without(0xC4), ACCEPTED),
    "no frame": Kind(lambda: jpeg_without(0xC0), "broken_header"),
    "no end": Kind(lambda: small_jpeg()[:-2], "broken_image"),
    "start and noise": Kind(lambda: random_behind(_JPEG_START), "broken_header"),
    "start and end": Kind(lambda: b"\xff\xd8\xff\xd9", "broken_header"),
    "twenty thousand segments": Kind(lambda: jpeg_with(segment(0xFE, b"x") * 20_000), "broken_header"),
    "a segment of no length": Kind(lambda: jpeg_with(b"\xff\xfe\0\0"), "broken_header"),
    "8 MB of profile": Kind(huge_icc, ACCEPTED),
    "EXIF that points to itself": Kind(lambda: exif((0x8769, 4, 1, 8), next_ifd=8), ACCEPTED),
    "EXIF of two gigabytes": Kind(lambda: exif((0x010E, 2, 0x7FFFFFFF, 0x10)), ACCEPTED),
    "EXIF beyond its end": Kind(lambda: exif((0x8769, 4, 1, 0xFFFFFFF0)), ACCEPTED),
    "EXIF noise": Kind(lambda: jpeg_with(segment(0xE1, random_behind(b"Exif\0\0MM\0*"))), ACCEPTED),
    "an archive behind it": Kind(lambda: small_jpeg() + zip_of(), ACCEPTED),
    "a script in a comment": Kind(lambda: jpeg_with(segment(0xFE, b"<script>alert(1)</script>")), ACCEPTED),
    "more scans than anybody needs": Kind(scan_bomb, "decoder_timeout"),
    **{
        f"cut after {share} %": Kind(partial(cut, small_jpeg, share), "broken_image")
        for share in (10, 20, 30, 40, 50, 60, 70, 80, 90, 99)
    },
}

KINDS = {
    **NO_PICTURES,
    **{f"PNG: {name}": kind for name, kind in PNGS.items()},
    **{f"JPEG: {name}": kind for name, kind in JPEGS.items()},
    **{f"DICOM: {name}": Kind(*kind) for name, kind in DICOMS.items()},
}
