"""How well scores tell two classes apart when films of one subject go together: ROC points, AUC, interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pneumoml.statistics.agreement import Estimate, cluster_sums

Floats = NDArray[np.float64]
_LEVEL_Z = 1.959963984540054


def auc_by_subject(labels: Floats, scores: Floats, clusters: Sequence[object]) -> Estimate:
    """Area under the ROC curve of labels 0 or 1 and scores, both (n,), with a 95 % interval over subjects.

    The variance is that of DeLong, DeLong and Clarke-Pearson (1988) for clustered films (Obuchowski 1997);
    the interval is made on the logit scale (Pepe 2003), so that it stays within 0 and 1. No interval where
    the classes do not overlap. Raises ValueError where one class is missing.
    """
    sick = labels == 1
    positives, negatives = int(sick.sum()), int((~sick).sum())
    if positives == 0 or negatives == 0:
        raise ValueError("AUC needs both classes")
    ranks = _midranks(scores)
    # For each film the share of films of the other class that its score is on the right side of (ties: half).
    component = np.empty(len(scores))
    component[sick] = (ranks[sick] - _midranks(scores[sick])) / negatives
    component[~sick] = 1 - (ranks[~sick] - _midranks(scores[~sick])) / positives
    area = float(component[sick].mean())
    above = cluster_sums(np.where(sick, component - area, 0.0), clusters) / positives
    below = cluster_sums(np.where(sick, 0.0, component - area), clusters) / negatives
    members = (
        cluster_sums(sick.astype(np.float64), clusters),
        cluster_sums((~sick).astype(np.float64), clusters),
    )
    with_sick, with_well = int((members[0] > 0).sum()), int((members[1] > 0).sum())
    variance = (
        _small_sample(with_sick) * float((above**2).sum())
        + _small_sample(with_well) * float((below**2).sum())
        + 2 * _small_sample(len(above)) * float((above * below).sum())
    )
    low, high = _logit_interval(area, math.sqrt(max(0.0, variance)))
    return Estimate(area, low, high, len(labels), len(above))


def roc_points(labels: Floats, scores: Floats, most: int = 200) -> list[tuple[float, float, float]]:
    """Return (threshold, 1 − specificity, sensitivity), from no film above to all; about `most` points.

    Positive is a score at or above the threshold; the first threshold is infinite. Both classes must occur.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, sick = scores[order], labels[order] == 1
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))  # of each run of equal scores
    true, false = np.cumsum(sick)[last] / sick.sum(), np.cumsum(~sick)[last] / (~sick).sum()
    points = [
        (float(ranked[index]), float(fall_out), float(hit))
        for index, fall_out, hit in zip(last, false, true, strict=True)
    ]
    step = max(1, math.ceil(len(points) / most))
    kept = points[::step] if points[-1] in points[::step] else [*points[::step], points[-1]]
    return [(math.inf, 0.0, 0.0), *kept]


def _midranks(values: Floats) -> Floats:
    """Ranks from 1 on, equal values sharing the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middles: Floats = (ends - (counts - 1) / 2)[which]
    return middles


def _logit_interval(share: float, error: float) -> tuple[float | None, float | None]:
    if error < 1e-9 or not 0 < share < 1:
        return None, None
    place, width = math.log(share / (1 - share)), _LEVEL_Z * error / (share * (1 - share))
    return 1 / (1 + math.exp(width - place)), 1 / (1 + math.exp(-width - place))


def _small_sample(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else 1.0
