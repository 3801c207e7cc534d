"""Decodes the stored values of a DICOM film and maps them to greys for display."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_windowing

from pneumoml.decoding.dicom.header import number, text, window_of
from pneumoml.decoding.dicom.jpeg12 import decode_jpeg12, is_jpeg12
from pneumoml.decoding.film import WINDOW_PERCENTILES
from pneumoml.decoding.headers import ImageRefused, jpeg_size

_LEVELS = 65536
_J2K_START = b"\xff\x4f\xff\x51"


def stored_values(dataset: Dataset, syntax: str) -> NDArray[np.uint16]:
    """Decode the one frame to its stored values, uint16 (H, W): two's complement where they are signed.

    Bits that are not pixels (old overlays live there) are cleared. Raises `ImageRefused` (broken_image), or
    nearly any built-in exception on broken input, as decoders do.
    """
    if dataset["PixelData"].is_undefined_length:
        _check_codestream(dataset)
    decoded: NDArray[Any]
    if is_jpeg12(dataset, syntax):
        decoded = decode_jpeg12(dataset)
    else:
        decoded, _ = get_decoder(syntax).as_array(dataset, index=0, raw=True)
    if decoded.shape != (dataset.Rows, dataset.Columns):
        raise ValueError("shape")
    spare = 16 - int(dataset.BitsStored)
    if dataset.PixelRepresentation == 1:
        signed = decoded.astype(np.int16)
        return ((signed << spare) >> spare).view(np.uint16)
    return decoded.astype(np.uint16) & np.uint16(0xFFFF >> spare)


def _check_codestream(dataset: Dataset) -> None:
    """Refuse a compressed picture whose size differs from the checked header, before it is decoded."""
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    size = None
    if frame.startswith(_J2K_START):
        right, lower, left, upper = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
        size = (right - left, lower - upper)
    elif frame.startswith(b"\xff\xd8"):
        size = jpeg_size(frame)
    if size is not None and size != (dataset.Columns, dataset.Rows):
        raise ImageRefused(
            "broken_image",
            "The picture inside the DICOM file has another size than its header says. Export the film again.",
        )


def through_modality_lut(values: NDArray[np.uint16], dataset: Dataset) -> tuple[NDArray[np.uint16], int]:
    """Apply the modality LUT, if there is a usable one; return the values and their bits (0: unchanged)."""
    table = _lut(dataset, "ModalityLUTSequence", _levels(dataset.PixelRepresentation == 1))
    if table is None:
        return values, 0
    result, bits = table
    return result[values], bits


def display_greys(
    values: NDArray[np.uint16], dataset: Dataset, *, is_signed: bool, rescale: tuple[float, float] | None
) -> tuple[NDArray[np.uint8], str]:
    """Map stored values (after any modality LUT) to uint8 (H, W), 0 black; return the way it was done too.

    The order of PS3.3 C.11: rescale, then VOI LUT, else window, else the 0.5 and 99.5 percentiles;
    MONOCHROME1 (or an inverse presentation LUT) is inverted last. Padding is black. All of it is one
    table of 65,536 greys, applied once.
    """
    levels = _levels(is_signed)
    slope, intercept = rescale or (1.0, 0.0)
    scaled: NDArray[Any] = levels * slope + intercept
    padding = _padding(dataset, is_signed)
    greys, shown_by = _voi(scaled, dataset)
    if greys is None:
        counts = np.bincount(values.ravel(), minlength=_LEVELS)
        if padding is not None:
            counts[padding] = 0
        greys, shown_by = _between_percentiles(scaled, counts), "percentiles"
    if is_inverse(dataset):
        greys = 255 - greys
    table = np.rint(np.clip(greys, 0, 255)).astype(np.uint8)
    if padding is not None:
        table[padding] = 0
    return table[values], shown_by


def is_inverse(dataset: Dataset) -> bool:
    """Return whether low values are bright."""
    if text(dataset, "PhotometricInterpretation") == "MONOCHROME1":
        return True
    return text(dataset, "PresentationLUTShape") == "INVERSE"


def _levels(is_signed: bool) -> NDArray[np.int64]:
    every = np.arange(_LEVELS, dtype=np.uint16)
    return (every.view(np.int16) if is_signed else every).astype(np.int64)


def _padding(dataset: Dataset, is_signed: bool) -> int | None:
    """Return the index (uint16) of the padding value, unless a modality LUT has moved the values."""
    value = number(dataset, "PixelPaddingValue")
    if value is None or dataset.get("ModalityLUTSequence"):
        return None
    lowest = -32768 if is_signed else 0
    return int(value) % _LEVELS if lowest <= value < _LEVELS else None


def _voi(scaled: NDArray[Any], dataset: Dataset) -> tuple[NDArray[Any] | None, str]:
    table = _lut(dataset, "VOILUTSequence", np.rint(scaled))
    if table is not None:
        output, bits = table
        # Some devices declare 16 bits and fill 12: then their maximum is white.
        top = int(output.max())
        white = top if 0 < top < 2 ** (bits - 1) else 2**bits - 1
        return output * (255.0 / white), "voi_lut"
    window, function = window_of(dataset)
    if window is None:
        return None, ""
    wanted = Dataset()  # 8 bits, unsigned, not rescaled: the range that comes out is 0 to 255
    wanted.PhotometricInterpretation = "MONOCHROME2"
    wanted.BitsStored, wanted.PixelRepresentation = 8, 0
    wanted.WindowCenter, wanted.WindowWidth = window
    wanted.VOILUTFunction = function
    return apply_windowing(scaled, wanted), "window"


def _lut(dataset: Dataset, keyword: str, levels: NDArray[Any]) -> tuple[NDArray[np.uint16], int] | None:
    """Map every level through the first LUT of a sequence (PS3.3 C.11.1, C.11.2); None without a usable one.

    Own code, since pydicom 3.0 narrows the index to the output's 8 bits.
    """
    items = dataset.get(keyword)
    if not items or not items[0].get("LUTDescriptor") or not items[0].get("LUTData"):
        return None
    entries, first, bits = (int(part) for part in items[0].LUTDescriptor)
    data = items[0].LUTData
    order = "<" if items[0].is_little_endian is not False else ">"
    if isinstance(data, bytes):
        table = np.frombuffer(data, np.uint8 if len(data) < 2 * entries else f"{order}u2")
    else:
        table = np.asarray(data, np.uint16).ravel()
    entries = entries or _LEVELS
    if not 8 <= bits <= 16 or table.size < entries:
        return None
    index = np.clip(levels - first, 0, entries - 1).astype(np.intp)
    return table[:entries].astype(np.uint16)[index], bits


def _between_percentiles(scaled: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[Any]:
    order = np.argsort(scaled, kind="stable")
    cumulative = np.cumsum(counts[order])
    total = int(cumulative[-1])
    if total == 0:
        return np.zeros_like(scaled)
    low, high = (
        float(scaled[order[int(np.searchsorted(cumulative, total * percentile / 100))]])
        for percentile in WINDOW_PERCENTILES
    )
    if low >= high:
        used = scaled[counts > 0]
        low, high = float(used.min()), float(used.max())
    if low >= high:
        return np.full_like(scaled, 127.0)
    return np.asarray((scaled - low) / (high - low) * 255.0)
