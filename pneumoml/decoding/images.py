"""Decodes a JPEG, PNG or DICOM film to a grey array; encodes grey arrays as PNG or JPEG."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pneumoml.decoding.dicom.file_meta import check_meta, is_dicom
from pneumoml.decoding.film import Film, ImageLimits, check_size, window_to_8bit
from pneumoml.decoding.headers import ImageHeader, ImageRefused, png_is_whole, read_header

__all__ = [
    "Film",
    "ImageHeader",
    "ImageLimits",
    "ImageRefused",
    "check_film",
    "check_header",
    "decode_film",
    "decode_own_png",
    "encode_png",
    "read_header",
    "thumbnail",
    "window_to_8bit",
]

# Filter "up" with run lengths: half the time of zlib's default strategy at level 1, and a smaller file.
_FAST_PNG = [
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
]  # fmt: skip
COLOUR_SPREAD = 24
_COLOUR_SAMPLE_SIDE = 256
_ORIENTATION_TAG = 0x0112
_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I")
_GREY = ("1", "L", "LA", *_DEEP_GREY)


def check_bytes(data: bytes, limits: ImageLimits) -> None:
    """Refuse an empty file and one that is too large. Raises `ImageRefused`."""
    if not data:
        raise ImageRefused("empty_file", "The file is empty. Choose the file again and upload it once more.")
    if len(data) > limits.max_bytes:
        raise ImageRefused(
            "file_too_large",
            "The file is larger than %(limit)s MB. Export the film as a smaller file.",
            {"limit": limits.max_bytes // 1_048_576},
        )


def check_film(data: bytes, limits: ImageLimits) -> None:
    """Refuse a film of any format by what its first bytes declare; decodes and inflates nothing.

    Raises `ImageRefused`. For DICOM only the transfer syntax is checked; the child parses the header.
    """
    if is_dicom(data):
        check_bytes(data, limits)
        check_meta(data)
    else:
        check_header(data, limits)


def check_header(data: bytes, limits: ImageLimits | None = None) -> ImageHeader:
    """Read the header of a JPEG or PNG and refuse by it what `decode_film` would; decodes nothing.

    Cheap and safe enough for the web process: it only walks markers and chunks.
    Raises `ImageRefused`.
    """
    limits = limits or ImageLimits()
    check_bytes(data, limits)
    header = read_header(data)
    check_size(header.width, header.height, limits)
    if header.frames > 1:
        raise ImageRefused(
            "several_frames",
            "The file holds %(count)s pictures. Upload one film per file, without animation.",
            {"count": header.frames},
        )
    if header.mode == "CMYK":
        raise ImageRefused(
            "colour_space",
            "The picture uses print colours (CMYK), not the greys of a film. Save it as grey or RGB.",
        )
    return header


def decode_film(data: bytes, *, limits: ImageLimits | None = None) -> Film:
    """Decode a JPEG, PNG or DICOM file into an upright grey film, uint8 (height, width).

    Colour becomes luma (ITU-R BT.601), transparency is laid over black, the EXIF orientation is applied.
    A 16-bit grey film is windowed linearly between its 0.5 and 99.5 percentiles; 16-bit colour, or grey with
    transparency, keeps its upper 8 bits. Decode untrusted bytes through `sandbox.decode_isolated`, which
    calls this with memory and time limits.
    Raises `ImageRefused` with a `code` and a sentence for people; `MemoryError` passes through.
    """
    if is_dicom(data):
        return _decode_dicom(data, limits or ImageLimits())
    header = check_header(data, limits)
    try:
        return _decode(data, header)
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly any exception on broken input
        raise _broken() from error


def _decode_dicom(data: bytes, limits: ImageLimits) -> Film:
    # Imported late: half a second that most processes do not need.
    from pneumoml.decoding.dicom.decode import decode_dicom

    check_bytes(data, limits)
    return decode_dicom(data, limits)


def _broken() -> ImageRefused:
    return ImageRefused(
        "broken_image",
        "The picture is damaged or incomplete and cannot be read to its end. Export or copy the film again.",
    )


def _decode(data: bytes, header: ImageHeader) -> Film:
    if header.format == "PNG" and not png_is_whole(data):
        raise _broken()
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        # Before pixels are allocated: the decoder must agree with the checked header.
        if image.size != (header.width, header.height) or getattr(image, "n_frames", 1) != 1:
            raise _broken()
        if image.mode == "CMYK":
            raise ImageRefused(
                "colour_space", "The picture uses print colours (CMYK). Save it as grey or RGB."
            )
        image.load()  # before EXIF, which loads too: only the first load raises
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
    except Exception:  # damaged EXIF does not affect the pixels: keep them as stored
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


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W) grey or (H, W, 3 or 4) RGB(A) as PNG: lossless, fast, without metadata."""
    if (
        pixels.ndim == 3 and pixels.shape[2] == 4
    ):  # overlays: smooth, and smaller with zlib's default strategy
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()
    turned = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", turned, _FAST_PNG)[1].tobytes()


def decode_own_png(data: bytes) -> NDArray[np.uint8]:
    """Decode a stored grey PNG that `encode_png` wrote, uint8 (H, W); never a file from outside.

    Raises `OSError` where it is damaged.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise OSError("the stored film is damaged") from error
    if pixels is None:
        raise OSError("the stored film is damaged")
    return np.asarray(pixels, dtype=np.uint8)


def thumbnail(pixels: NDArray[np.uint8], side: int = 256) -> bytes:
    """Shrink uint8 (H, W) to at most `side` pixels along its longer side (never enlarged), as JPEG bytes.

    JPEG, because a list page loads dozens of them and a grey PNG is several times as large.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
