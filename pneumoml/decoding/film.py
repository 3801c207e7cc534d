"""The decoded film, its size limits, and the windowing from 16 bits to 8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pneumoml.decoding.dicom.record import DicomRecord
from pneumoml.decoding.headers import ImageRefused

WINDOW_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class ImageLimits:
    """Limits of a film: bytes of the file, pixels in all, pixels along one side."""

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
    was applied (1 upright). `dicom` holds what is kept of a DICOM file's header.
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
    dicom: DicomRecord | None = None


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Raise `ImageRefused` for a picture larger or smaller than any film."""
    if min(width, height) < 1:
        raise ImageRefused("zero_size", "The picture has no pixels. Export the film again.")
    if min(width, height) < limits.min_side:
        raise ImageRefused(
            "too_small",
            "The picture is %(width)s × %(height)s pixels; a film needs at least %(least)s a side.",
            {"width": width, "height": height, "least": limits.min_side},
        )
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise ImageRefused(
            "too_many_pixels",
            "The picture is %(width)s × %(height)s pixels; at most %(side)s along a side and %(all)s million "
            "in all are accepted. Export the film smaller.",
            {
                "width": width,
                "height": height,
                "side": limits.max_side,
                "all": limits.max_pixels // 1_000_000,
            },
        )


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
