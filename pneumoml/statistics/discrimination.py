"""Discrimination with films clustered by subject: ROC points, AUC and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pneumoml.statistics.clusters import Estimate, cluster_sums, small_sample
from pneumoml.statistics.intervals import NO_ERROR, logit_interval
from pneumoml.statistics.ranks import midranks

Floats = NDArray[np.float64]


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
    ranks = midranks(scores)
    # For each film the share of the other class that its score ranks correctly against (ties: half).
    component = np.empty(len(scores))
    component[sick] = (ranks[sick] - midranks(scores[sick])) / negatives
    component[~sick] = 1 - (ranks[~sick] - midranks(scores[~sick])) / positives
    area = float(component[sick].mean())
    above = cluster_sums(np.where(sick, component - area, 0.0), clusters) / positives
    below = cluster_sums(np.where(sick, 0.0, component - area), clusters) / negatives
    members = (
        cluster_sums(sick.astype(np.float64), clusters),
        cluster_sums((~sick).astype(np.float64), clusters),
    )
    with_sick, with_well = int((members[0] > 0).sum()), int((members[1] > 0).sum())
    variance = (
        small_sample(with_sick) * float((above**2).sum())
        + small_sample(with_well) * float((below**2).sum())
        + 2 * small_sample(len(above)) * float((above * below).sum())
    )
    error = math.sqrt(max(0.0, variance))
    if error < NO_ERROR or not 0 < area < 1:
        return Estimate(area, None, None, len(labels), len(above))
    return Estimate(area, *logit_interval(area, error), len(labels), len(above))


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
