"""Score drift: the population stability index between two histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
# The customary bands of scorecard builders (Siddiqi 2006): a rule of thumb, not a test.
MODERATE_FROM, LARGE_FROM = 0.1, 0.25


def stability_index(reference: Sequence[int], found: Sequence[int]) -> float:
    """Population stability index of two histograms over the same bins; 0 where both are alike.

    The sum over bins of (found − reference) · ln(found / reference), in shares; half a film is added to every
    bin, so that an empty one does not make it infinite. Raises ValueError for histograms without films.
    """
    if len(reference) != len(found) or not sum(reference) or not sum(found):
        raise ValueError("Two histograms over the same bins are needed, each with films.")
    before, now = _shares(reference), _shares(found)
    return sum((b - a) * math.log(b / a) for a, b in zip(before, now, strict=True))


def expected_by_chance(bins: int, reference: int, found: int) -> float:
    """The index that two samples of these sizes have on average without any shift (Yurdakul 2018)."""
    return (bins - 1) * (1 / reference + 1 / found)


def histogram(probabilities: NDArray[np.floating[Any]]) -> list[int]:
    """Count calibrated probabilities (n,), 0 to 1, in ten equal bins; 1 counts in the last."""
    counts, _ = np.histogram(probabilities, bins=BINS, range=(0.0, 1.0))
    return [int(count) for count in counts]


def band(index: float) -> str:
    """Name the customary band of an index: small, moderate or large."""
    if index < MODERATE_FROM:
        return "small"
    return "moderate" if index < LARGE_FROM else "large"


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]
