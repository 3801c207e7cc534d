"""Test pictures made in code: chest-like greys, every kind of PNG and JPEG, and broken or hostile files."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chest_like(height: int = 300, width: int = 360, *, seed: int = 0) -> NDArray[np.uint8]:
    """Grey (height, width) with two dark lung fields, a bright spine and some noise: not symmetric."""
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    grey = 190.0 - 40 * rows
    for centre, radius in ((0.3, 0.17), (0.72, 0.15)):
        inside = ((columns - centre) / radius) ** 2 + ((rows - 0.5) / 0.36) ** 2
        grey -= 110 * np.exp(-(inside**3))
    grey += 45 * np.exp(-(((columns - 0.51) / 0.04) ** 2))
    grey += 60 * np.exp(-(((columns - 0.62) / 0.12) ** 2 + ((rows - 0.68) / 0.13) ** 2))
    grey += np.random.default_rng(seed).normal(0, 4, grey.shape)
    return np.asarray(np.clip(grey, 0, 255), dtype=np.uint8)


def chest_like_16bit(height: int = 300, width: int = 360, *, seed: int = 0) -> NDArray[np.uint16]:
    """The same in uint16, using a narrow band (about 1000 to 3500) of the 65,536 values."""
    grey = chest_like(height, width, seed=seed).astype(np.uint16)
    return np.add(np.multiply(grey, 10), 1000).astype(np.uint16)


def encode(pixels: NDArray[Any], format_: str, **options: Any) -> bytes:
    """Encode an array as PNG or JPEG with Pillow; options go to `Image.save`."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format_, **options)
    return buffer.getvalue()


def png(pixels: NDArray[Any] | None = None) -> bytes:
    """PNG of uint8 (H, W), uint8 (H, W, 3 or 4) or uint16 (H, W)."""
    return encode(chest_like() if pixels is None else pixels, "PNG")


def chest_png(*, seed: int = 0) -> bytes:
    """The chest-like film as PNG; another seed gives another film."""
    return png(chest_like(seed=seed))


def jpeg(pixels: NDArray[Any] | None = None, **options: Any) -> bytes:
    """JPEG of uint8 (H, W) or (H, W, 3), quality 95."""
    return encode(chest_like() if pixels is None else pixels, "JPEG", **{"quality": 95, **options})


def rgb(pixels: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Grey film as three equal channels."""
    return np.dstack([chest_like() if pixels is None else pixels] * 3)


def photograph(height: int = 300, width: int = 360) -> NDArray[np.uint8]:
    """A colourful RGB picture that is no film."""
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (np.dstack([rows, columns, 1 - rows]) * 255).astype(np.uint8)


def palette_png() -> bytes:
    """The chest-like film as PNG with a 256-entry grey palette."""
    image = Image.fromarray(chest_like())
    palette = Image.new("P", image.size)
    palette.putpalette([value for level in range(256) for value in (level, level, level)])
    palette.putdata(chest_like().ravel().tolist())
    return _saved(palette, "PNG")


def bilevel_png() -> bytes:
    """One bit a pixel."""
    return _saved(Image.fromarray(chest_like()).convert("1"), "PNG")


def transparent_png(alpha: int = 0) -> bytes:
    """White grey+alpha PNG with the given alpha everywhere."""
    white = np.full((64, 64), 255, np.uint8)
    return png(np.dstack([white, white, white, np.full_like(white, alpha)]))


def cmyk_jpeg() -> bytes:
    """Print colours."""
    return _saved(Image.fromarray(rgb()).convert("CMYK"), "JPEG")


def rotated_jpeg(orientation: int) -> bytes:
    """A JPEG whose EXIF orientation asks to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(exif=exif)


def animated_png(frames: int = 3) -> bytes:
    """Several frames in one PNG."""
    images = [Image.fromarray(chest_like(64, 64, seed=index)) for index in range(frames)]
    return _saved(images[0], "PNG", save_all=True, append_images=images[1:])


def multi_picture_jpeg() -> bytes:
    """Two JPEGs in one MPO."""
    images = [Image.fromarray(rgb(chest_like(64, 64, seed=index))) for index in range(2)]
    return _saved(images[0], "MPO", save_all=True, append_images=images[1:])


def _saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def truncated(data: bytes, share: float = 0.5) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * share)]


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width: int, height: int, *, depth: int = 8, colour: int = 0) -> bytes:
    """A tiny PNG whose IHDR claims any size (a lying header), with hardly any pixel data behind it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(bytes(64))
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bomb_png(width: int = 20_000, height: int = 20_000) -> bytes:
    """A real decompression bomb: valid rows of zeros, a few hundred kilobytes for all those pixels."""
    squeeze = zlib.compressobj(9)
    row = bytes(width + 1)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_with_second_header(width: int = 9_000, height: int = 4_000) -> bytes:
    """Two IHDR chunks: a small one to be checked, a large one for the decoder."""
    data = png(chest_like(64, 64))
    second = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return data[:33] + second + data[33:]


def png_with_small_header_first() -> bytes:
    """Two IHDR chunks before valid pixels of 64 × 64: the first one, which is checked, claims 40 × 40."""
    data = png(chest_like(64, 64))
    first = chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 0, 0, 0, 0))
    return data[:8] + first + data[8:]


def jpeg_claiming(width: int, height: int) -> bytes:
    """A JPEG whose frame header claims any size up to 65,535."""
    data = bytearray(jpeg(chest_like(64, 64)))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


NOT_FILMS: dict[str, bytes] = {
    "text": b"hello, this is a letter\n" * 20,
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "html": b"<!DOCTYPE html><html><body>not found</body></html>",
    "gif": b"GIF89a" + bytes(200),
    "bmp": b"BM" + bytes(200),
    "tiff": b"II*\x00" + bytes(200),
    "webp": b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(200),
    "heic": b"\x00\x00\x00\x18ftypheic" + bytes(200),
    "pdf": b"%PDF-1.7\n" + bytes(200),
    "zip": b"PK\x03\x04" + bytes(200),
    "gzip": b"\x1f\x8b\x08" + bytes(200),
    "dicom": bytes(128) + b"DICM" + bytes(200),
    "zeros": bytes(400),
}
