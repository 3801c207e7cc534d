"""Bytes of a JPEG or PNG film to a grey array, and a grey array back to PNG or JPEG bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pneumoml.headers import ImageHeader, ImageRefused, png_is_whole, read_header

__all__ = [
    "Film",
    "ImageHeader",
    "ImageLimits",
    "ImageRefused",
    "check_header",
    "decode_film",
    "encode_png",
    "read_header",
    "thumbnail",
]

WINDOW_PERCENTILES = (0.5, 99.5)
COLOUR_SPREAD = 24
_COLOUR_SAMPLE_SIDE = 256
_PRINT_COLOURS = "The picture uses print colours (CMYK), not the greys of a film. Save it as grey or RGB."
_ORIENTATION_TAG = 0x0112
_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I")
_GREY = ("1", "L", "LA", *_DEEP_GREY)


@dataclass(frozen=True)
class ImageLimits:
    """How large a film may be: bytes of the file, pixels in all, pixels along one side."""

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 40_000_000
    max_side: int = 10_000
    min_side: int = 32


@dataclass(frozen=True, eq=False)
class Film:
    """One decoded film, upright.

    `pixels` is uint8 (height, width), 0 black. `bit_depth` is that of the file; 16-bit grey was windowed to
    8, and `window` holds the two source values that became 0 and 255. `colour_fraction` (0–1) is the share of
    clearly coloured pixels: a film has next to none, a photograph many. `orientation` is the EXIF value that
    was applied (1 upright).
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    mode: str
    bit_depth: int
    colour_fraction: float = 0.0
    orientation: int = 1
    window: tuple[int, int] | None = None


def check_header(data: bytes, limits: ImageLimits | None = None) -> ImageHeader:
    """Read the header and refuse by it whatever `decode_film` would refuse; decodes nothing.

    Cheap and safe enough for the web process: it walks markers and chunks, and inflates nothing.
    Raises `ImageRefused`.
    """
    limits = limits or ImageLimits()
    if not data:
        raise ImageRefused("empty_file", "The file is empty. Choose the file again and upload it once more.")
    if len(data) > limits.max_bytes:
        raise ImageRefused(
            "file_too_large",
            f"The file is larger than {limits.max_bytes // 1_048_576} MB. Export the film as a smaller file.",
        )
    header = read_header(data)
    _check_size(header, limits)
    if header.frames > 1:
        raise ImageRefused(
            "several_frames",
            f"The file holds {header.frames} pictures. Upload one film per file, without animation.",
        )
    if header.mode == "CMYK":
        raise ImageRefused(
            "colour_space",
            _PRINT_COLOURS,
        )
    return header


def _check_size(header: ImageHeader, limits: ImageLimits) -> None:
    width, height = header.width, header.height
    if min(width, height) < 1:
        raise ImageRefused("zero_size", "The picture has no pixels. Export the film again.")
    if min(width, height) < limits.min_side:
        raise ImageRefused(
            "too_small",
            f"The picture is {width} × {height} pixels; a film needs at least {limits.min_side} a side.",
        )
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise ImageRefused(
            "too_many_pixels",
            f"The picture is {width} × {height} pixels; at most {limits.max_side} along a side and "
            f"{limits.max_pixels // 1_000_000} million in all are accepted. Export the film smaller.",
        )


def decode_film(data: bytes, *, limits: ImageLimits | None = None) -> Film:
    """Decode a JPEG or PNG into an upright grey film, uint8 (height, width).

    Colour becomes luma (ITU-R BT.601), transparency is laid over black, the EXIF orientation is applied.
    A 16-bit grey film is windowed linearly between its 0.5 and 99.5 percentiles; 16-bit colour, or grey with
    transparency, keeps its upper 8 bits. Decode untrusted bytes through `isolation.decode_isolated`, which
    calls this with memory and time limits.
    Raises `ImageRefused` with a `code` and a sentence for people; `MemoryError` passes through.
    """
    header = check_header(data, limits)
    try:
        return _decode(data, header)
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly every built-in exception on broken input
        raise _broken() from error


def _broken() -> ImageRefused:
    return ImageRefused(
        "broken_image",
        "The picture is damaged or incomplete and cannot be read to its end. Export or copy the film again.",
    )


def _decode(data: bytes, header: ImageHeader) -> Film:
    if header.format == "PNG" and not png_is_whole(data):
        raise _broken()
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        # Before any pixel memory is taken: the decoder must agree with the header that was checked.
        if image.size != (header.width, header.height) or getattr(image, "n_frames", 1) != 1:
            raise _broken()
        if image.mode == "CMYK":
            raise ImageRefused(
                "colour_space", "The picture uses print colours (CMYK). Save it as grey or RGB."
            )
        image.load()  # before asking for EXIF: that loads too, and no load but the first complains
        orientation = _orientation(image)
        colour = _colour_fraction(image)
        grey, window = _to_grey(image)
    upright = np.ascontiguousarray(_turn(grey, orientation))
    return Film(
        pixels=upright,
        width=int(upright.shape[1]),
        height=int(upright.shape[0]),
        format=header.format,
        mode=header.mode,
        bit_depth=header.bit_depth,
        colour_fraction=colour,
        orientation=orientation,
        window=window,
    )


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF says nothing about the pixels, so the film is shown as it is stored
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation (1–8, Exif 2.32 §4.6.4 A) to (height, width) pixels."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _colour_fraction(image: Image.Image) -> float:
    if image.mode in _GREY:
        return 0.0
    step = max(1, max(image.size) // _COLOUR_SAMPLE_SIDE)
    sample = image.resize(
        (max(1, image.width // step), max(1, image.height // step)), Image.Resampling.NEAREST
    )
    rgb = np.asarray(_over_black(sample).convert("RGB"), dtype=np.int16)
    spread = rgb.max(axis=2) - rgb.min(axis=2)
    return float((spread > COLOUR_SPREAD).mean())


def _over_black(image: Image.Image) -> Image.Image:
    """Lay a transparent picture over black; return others unchanged."""
    if "A" not in image.mode and "transparency" not in image.info:
        return image
    rgba = image.convert("RGBA")
    canvas = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    canvas.alpha_composite(rgba)
    return canvas.convert("RGB")


def _to_grey(image: Image.Image) -> tuple[NDArray[np.uint8], tuple[int, int] | None]:
    if image.mode in _DEEP_GREY:
        return window_to_8bit(np.asarray(image).astype(np.uint16, copy=False))
    return np.asarray(_over_black(image).convert("L"), dtype=np.uint8), None


def window_to_8bit(values: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Window uint16 (H, W) linearly to uint8 between its 0.5 and 99.5 percentiles; return both.

    Percentiles, not minimum and maximum, so that a burnt-in marker or a dead pixel does not darken the film.
    Where the two percentiles coincide (an almost uniform film) the extremes are used, then the full range.
    """
    counts = np.bincount(values.ravel(), minlength=65536)
    cumulative = np.cumsum(counts) / values.size * 100
    low, high = (int(np.searchsorted(cumulative, percentile)) for percentile in WINDOW_PERCENTILES)
    if low >= high:
        used = np.flatnonzero(counts)
        low, high = int(used[0]), int(used[-1])
    if low >= high:
        low, high = 0, 65535
    table = np.clip((np.arange(65536, dtype=np.float32) - low) / (high - low), 0, 1) * 255
    return np.rint(table).astype(np.uint8)[values], (low, high)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W) grey or (H, W, 3 or 4) RGB(A) as PNG: lossless, fast, without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def thumbnail(pixels: NDArray[np.uint8], side: int = 256) -> bytes:
    """Shrink uint8 (H, W) to at most `side` pixels along its longer side (never enlarged), as JPEG bytes.

    JPEG, because a list page loads dozens of them and a grey PNG is several times the size.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
