"""Estimates from films that belong to subjects: sums by cluster and their small-sample correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A figure from `n` reads of `clusters` subjects; no interval where every subject says the same."""

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int


def cluster_sums(values: NDArray[np.float64], clusters: Sequence[object]) -> NDArray[np.float64]:
    """Add up the values (n,) of each cluster; one sum per cluster, in the order of first appearance."""
    numbers: dict[object, int] = {}
    which = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    return np.bincount(which, weights=values, minlength=len(numbers)).astype(np.float64)


def small_sample(clusters: int) -> float:
    """Factor n / (n - 1) of a variance estimated from n clusters; 1 for a single one."""
    return clusters / (clusters - 1) if clusters > 1 else 1.0
