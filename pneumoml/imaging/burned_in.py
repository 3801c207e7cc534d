"""Detects text burned into a film: a cheap heuristic for a person to check, never a proof."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_BRIGHT, _DARK = 240, 15
_LOWEST, _HIGHEST = 7, 90
_LETTERS_IN_A_LINE = 5
_CONTRAST = 60
_MOST = 3_000


def looks_burned_in(pixels: NDArray[np.uint8]) -> bool:
    """Return whether uint8 (H, W) shows a line of at least five letter-like shapes, all white or all black.

    A letter-like shape is a connected patch of the extreme grey, 7 to 90 pixels high, neither a dot, a bar
    nor a filled box, whose surroundings are clearly different. Side markers (R, L, PA) are shorter than five
    letters and pass. Handwriting and large stencils are not found.
    """
    return any(_has_line(_letters(pixels, mask)) for mask in (pixels >= _BRIGHT, pixels <= _DARK))


def _letters(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Return (x, y, width, height) of the letter-like patches, int32 (N, 4)."""
    stats = _patches(mask.view(np.uint8))
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    fill = area / (width * height)
    fits = (height >= _LOWEST) & (height <= _HIGHEST) & (width <= 1.6 * height) & (width * 8 >= height)
    boxes: NDArray[Any] = stats[fits & (fill > 0.12) & (fill < 0.92)][:, :4]
    if len(boxes) > _MOST:  # grain, not text
        return boxes[:0]
    letters: NDArray[Any] = boxes[
        [index for index, box in enumerate(boxes) if _stands_out(pixels, mask, box)]
    ]
    return letters


def _patches(mask: NDArray[np.uint8]) -> NDArray[Any]:
    """Return (x, y, width, height, area) of the patches, int32 (N, 5); none where there are too few."""
    count = cv2.connectedComponents(mask, connectivity=8)[0] - 1  # costs a quarter of the statistics
    if count < _LETTERS_IN_A_LINE:
        return np.zeros((0, 5), np.int32)
    labels = (
        cv2.CV_16U if count < np.iinfo(np.uint16).max else cv2.CV_32S
    )  # 16-bit labels are three times as fast
    patches: NDArray[Any] = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=labels)[2][1:]
    return patches


def _stands_out(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], box: NDArray[Any]) -> bool:
    """Return whether the other greys in and around the box differ clearly from the patch."""
    x, y, width, height = (int(part) for part in box)
    window = (slice(max(0, y - 2), y + height + 2), slice(max(0, x - 2), x + width + 2))
    inside, patch = pixels[window], mask[window]
    if patch.all():
        return False
    return abs(float(inside[patch].mean()) - float(np.median(inside[~patch]))) >= _CONTRAST


def _has_line(boxes: NDArray[Any]) -> bool:
    """Return whether five boxes of similar height lie close together on one line."""
    order = boxes[np.argsort(boxes[:, 0], kind="stable")]
    for x, y, _, height in order:
        alike = np.abs(order[:, 3] - height) <= 0.35 * height
        level = np.abs((order[:, 1] + order[:, 3]) - (y + height)) <= 0.35 * height
        line = order[alike & level & (order[:, 0] >= x)]
        if _run(line, 1.5 * height) >= _LETTERS_IN_A_LINE:
            return True
    return False


def _run(line: NDArray[Any], gap: float) -> int:
    """Return how many boxes, from the first one on, follow each other without a larger gap."""
    ends = line[:, 0] + line[:, 2]
    apart = np.flatnonzero(line[1:, 0] - ends[:-1] > gap)
    return int(apart[0]) + 1 if apart.size else len(line)
