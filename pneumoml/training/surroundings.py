"""Where the thorax lies on a film, and films whose surroundings are those of another film.

What lies outside the thorax (arms, shoulders, markers, edges of the beam) says nothing about pneumonia, but
it may differ by class in the training films. Put around the thorax of a film of the other class, it stops
telling.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pneumoml.explain.reliability import thorax_box
from pneumoml.imaging.preprocess import PreprocessConfig, seen_area

Grey = NDArray[np.uint8]
Mask = NDArray[np.float32]

_FEATHER = 1 / 40  # of a side: standard deviation of the soft edge between thorax and surroundings


def thorax_mask(small: Grey, config: PreprocessConfig) -> Mask:
    """Mark the thorax of a squashed film, uint8 (h, w): float32 (h, w), 1 inside and 0 outside.

    There is no segmentation: it is the box `explanations.THORAX` of the part that the network sees.
    """
    height, width = small.shape
    left, top, right, bottom = seen_area(small, config)
    rows, columns = (
        slice(round(first * side), round(last * side))
        for first, last, side in ((top, bottom, height), (left, right, width))
    )
    mask = np.zeros((height, width), np.float32)
    mask[rows, columns] = thorax_box(rows.stop - rows.start, columns.stop - columns.start)
    return mask


def swap_surroundings(film: Grey, donor: Grey, thorax: Mask) -> Grey:
    """Put the surroundings of `donor` around the thorax of `film`; both uint8 (h, w), as is the result.

    The edge between the two is soft, and the donor is brought to the film's mean grey along it, so that the
    seam itself shows little.
    """
    soft = np.asarray(cv2.GaussianBlur(thorax, (0, 0), _FEATHER * len(film)), np.float32)
    seam = soft * (1 - soft)
    own, other = film.astype(np.float32), donor.astype(np.float32)
    if seam.any():
        other += float((seam * (own - other)).sum() / seam.sum())
    return np.clip(np.rint(own * soft + other * (1 - soft)), 0, 255).astype(np.uint8)


def thorax_on_map(thorax: Mask, cells: int) -> Grey:
    """Share of each field of a map that is thorax, as 0–255: uint8 (cells, cells)."""
    small = cv2.resize(thorax, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(255 * small), 0, 255).astype(np.uint8)
