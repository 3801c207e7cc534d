"""Metrics of a binary classifier: rates with 95 % intervals, discrimination, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pneumoml.statistics.intervals import Interval, wilson
from pneumoml.statistics.ranks import midranks

Floats = NDArray[np.float64]
_BOOTSTRAP_REPEATS = 1000


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold: true and false negatives and positives."""

    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def n(self) -> int:
        """All films."""
        return self.tn + self.fp + self.fn + self.tp


def confusion(labels: Floats, probabilities: Floats, threshold: float) -> Confusion:
    """Count films, labels 0 or 1 (n,), positive at or above `threshold`."""
    positive, sick = probabilities >= threshold, labels == 1
    return Confusion(
        tn=int((~positive & ~sick).sum()),
        fp=int((positive & ~sick).sum()),
        fn=int((~positive & sick).sum()),
        tp=int((positive & sick).sum()),
    )


def flag_rate(flagged: int, n: int) -> dict[str, Any]:
    """Row of a card: n, how many were flagged, their share (None without any) and its 95 % interval."""
    return {
        "n": n,
        "flagged": flagged,
        "share": flagged / n if n else None,
        "share_ci": list(wilson(flagged, n)),
    }


def rates(counts: Confusion) -> dict[str, tuple[int, int]]:
    """Name the proportions at a threshold, each as (successes, trials)."""
    return {
        "accuracy": (counts.tn + counts.tp, counts.n),
        "sensitivity": (counts.tp, counts.tp + counts.fn),
        "specificity": (counts.tn, counts.tn + counts.fp),
        "precision": (counts.tp, counts.tp + counts.fp),
        "npv": (counts.tn, counts.tn + counts.fn),
    }


def share(successes: int, trials: int) -> float:
    """The proportion, 0 where there are no trials (as scikit-learn's zero_division=0)."""
    return successes / trials if trials else 0.0


def auc(labels: Floats, scores: Floats) -> float:
    """Area under the ROC curve. Raises `ValueError` where one class is missing."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def auc_pr(labels: Floats, scores: Floats) -> float:
    """Average precision, the area under the precision-recall curve."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(labels, scores))


def f1(labels: Floats, probabilities: Floats, threshold: float) -> float:
    """Harmonic mean of precision and sensitivity."""
    counts = confusion(labels, probabilities, threshold)
    return share(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def balanced_accuracy(labels: Floats, probabilities: Floats, threshold: float) -> float:
    """Mean of sensitivity and specificity."""
    named = rates(confusion(labels, probabilities, threshold))
    return (share(*named["sensitivity"]) + share(*named["specificity"])) / 2


def brier(labels: Floats, probabilities: Floats) -> float:
    """Mean squared difference of probability and outcome (Brier 1950)."""
    return float(np.mean((probabilities - labels) ** 2))


def reliability(labels: Floats, probabilities: Floats, bins: int = 15) -> list[tuple[float, float, int]]:
    """Group films into equal bins: (mean probability, share of pneumonia, films) of each that has any."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (float(probabilities[chosen].mean()), float(labels[chosen].mean()), int(chosen.sum()))
        for chosen in (which == number for number in range(bins))
        if chosen.any()
    ]


def ece(labels: Floats, probabilities: Floats, bins: int = 15) -> float:
    """Expected calibration error over equally wide bins of the probability of pneumonia (Naeini 2015)."""
    groups = reliability(labels, probabilities, bins)
    return sum(count * abs(mean - observed) for mean, observed, count in groups) / len(labels)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    patients: Sequence[str],
    *,
    repeats: int = _BOOTSTRAP_REPEATS,
    seed: int = 42,
) -> Interval:
    """95 % percentile interval of `statistic` (given film indices) when whole patients are resampled.

    Draws in which the statistic does not exist (one class only) are left out.
    """
    groups: dict[str, list[int]] = {}
    for index, patient in enumerate(patients):
        groups.setdefault(patient, []).append(index)
    members = [np.array(group) for group in groups.values()]
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        drawn = generator.integers(0, len(members), len(members))
        try:
            values.append(statistic(np.concatenate([members[index] for index in drawn])))
        except ValueError:
            continue
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return math.nan, math.nan
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Positive and negative predictive value at another prevalence, by Bayes' theorem."""
    true_positive, false_positive = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    true_negative, false_negative = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    positive, negative = true_positive + false_positive, true_negative + false_negative
    return (true_positive / positive if positive else 0.0), (true_negative / negative if negative else 0.0)


def fast_auc(labels: Floats, scores: Floats) -> float:
    """AUC by ranks (Mann & Whitney 1947), quick enough for thousands of repeats.

    Raises `ValueError` where one class is missing.
    """
    sick = labels == 1
    positives = int(sick.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        raise ValueError("AUC needs both classes")
    total = float(midranks(scores)[sick].sum())
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def summary(
    labels: Floats,
    probabilities: Floats,
    threshold: float,
    patients: Sequence[str],
    *,
    repeats: int = _BOOTSTRAP_REPEATS,
    seed: int = 42,
) -> dict[str, Any]:
    """All metrics of one evaluation with their 95 % intervals, as plain values for JSON.

    Labels 0 or 1, calibrated probabilities 0–1, both (n,). Proportions carry Wilson intervals, the others
    bootstrap intervals over patients. Raises `ValueError` where one class is missing.
    """
    counts = confusion(labels, probabilities, threshold)
    found: dict[str, Any] = {"n": counts.n, "threshold": threshold}
    for name, (successes, trials) in rates(counts).items():
        found[name], found[f"{name}_ci"] = share(successes, trials), list(wilson(successes, trials))
    resampled: dict[str, Callable[[Floats, Floats], float]] = {
        "auc": fast_auc,
        "auc_pr": auc_pr,
        "balanced_accuracy": lambda y, p: balanced_accuracy(y, p, threshold),
        "f1": lambda y, p: f1(y, p, threshold),
        "brier": brier,
        "ece": ece,
    }
    for name, statistic in resampled.items():
        found[name] = statistic(labels, probabilities)
        found[f"{name}_ci"] = list(
            bootstrap(_resampled(statistic, labels, probabilities), patients, repeats=repeats, seed=seed)
        )
    found["confusion"] = {"tn": counts.tn, "fp": counts.fp, "fn": counts.fn, "tp": counts.tp}
    return found


def _resampled(
    statistic: Callable[[Floats, Floats], float], labels: Floats, probabilities: Floats
) -> Callable[[NDArray[np.intp]], float]:
    return lambda index: statistic(labels[index], probabilities[index])
