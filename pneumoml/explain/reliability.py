"""Reliability of Grad-CAM maps: the checks of every film's map, and the comparison of two maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pneumoml.cards.card import MapLimits
from pneumoml.statistics.ranks import midranks

Floats = NDArray[np.floating[Any]]

# Sentences for people. The codes are stored, the sentences may change.
SENTENCES = {
    "map_weak": "The map is too weak to point anywhere.",
    "map_outside": "Most of its heat lies outside the middle of the film, where the thorax is expected.",
    "map_disputed": "A second method (HiResCAM) orders the regions differently.",
    "map_untested": "The maps of this model version hardly change when random weights replace its own.",
}
LEAST_STRENGTH = 0.1
MOST_OUTSIDE = 0.5
LEAST_AGREEMENT = 0.5
# Edges outside which the lungs do not lie on the mean of 150 training films: of height, and of width.
_EDGE_DOWN, _EDGE_ACROSS = 1 / 7, 1 / 14
THORAX = (
    "the middle 5/7 of the film's height and 6/7 of its width, where the lungs lie on the mean training film"
)


def map_flags(gradcam: Floats, hirescam: Floats, *, reference: float, limits: MapLimits) -> tuple[str, ...]:
    """Return the codes of what makes one film's map unreliable; empty for a reliable map.

    Both maps are (h, w), not negative, of one pass; `reference` (> 0) is the version's `cam_reference`. A
    weak map is not checked any further: it has nothing to compare.
    """
    untested = () if limits.depends_on_weights else ("map_untested",)
    if float(gradcam.max()) < limits.least_strength * reference:
        return ("map_weak", *untested)
    outside = ("map_outside",) if outside_thorax(gradcam) > limits.most_outside else ()
    disputed = agreement(gradcam, hirescam) < limits.least_agreement
    return (*outside, *(("map_disputed",) if disputed else ()), *untested)


def outside_thorax(cam: Floats) -> float:
    """Return the share (0–1) of a map's heat outside `THORAX`; that of its area for a map without heat.

    There is no lung segmentation here: the thorax is a fixed box, so the figure is approximate.
    """
    inside = thorax_box(*cam.shape)
    total = float(cam.sum())
    return float(cam[~inside].sum()) / total if total > 0 else float((~inside).mean())


def thorax_box(height: int, width: int) -> NDArray[np.bool_]:
    """Mark the fields of a film or map of that size that lie inside `THORAX`: (height, width)."""
    down, across = round(_EDGE_DOWN * height), round(_EDGE_ACROSS * width)
    inside = np.zeros((height, width), dtype=np.bool_)
    inside[down : height - down, across : width - across] = True
    return inside


def agreement(gradcam: Floats, hirescam: Floats) -> float:
    """Return the rank correlation (-1 to 1) of Grad-CAM and HiResCAM (h, w), summed over 2 by 2 fields.

    Summed, because after a max-pooling HiResCAM has a gradient at one of four positions only.
    """
    return rank_correlation(_halved(gradcam), _halved(hirescam))


def _halved(cam: Floats) -> Floats:
    height, width = (side // 2 for side in cam.shape)
    return np.asarray(cam[: 2 * height, : 2 * width].reshape(height, 2, width, 2).sum(axis=(1, 3)))


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation of two maps of one shape; 0 where one of them is constant."""
    one, other = (midranks(np.asarray(cam, dtype=np.float64).ravel()) for cam in (first, second))
    if min(float(one.std()), float(other.std())) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
