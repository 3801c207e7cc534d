"""Calibration on validation films, and the operating point by the written policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pneumoml.statistics.metrics import Floats, confusion, rates, share

POLICY = (
    "Sensitivity of at least {sensitivity:.0%} over the shift tests together, each a fixed change to "
    "validation films, and of at least {least:.0%} in each of them; the highest threshold that keeps both, "
    "which gives the best specificity. Where that threshold would lie outside {low:.2f} to {high:.2f}, the "
    "nearer end is taken. The borderline band holds the threshold and reaches from the probability below "
    "which {band:.0%} of the validation films with pneumonia lie to that above which {band:.0%} of the "
    "normal ones lie."
)


@dataclass(frozen=True)
class Scaling:
    """Temperature and bias: calibrated probability = sigmoid(logit / temperature + bias)."""

    temperature: float
    bias: float

    def probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities (0–1) of logits, (n,)."""
        return sigmoid(logits / self.temperature + self.bias)


def sigmoid(logits: Floats) -> Floats:
    """Logistic function, safe for any finite logit."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -700, 700))), dtype=np.float64)


def fit_scaling(labels: Floats, logits: Floats, weights: Floats | None = None) -> Scaling:
    """Fit temperature and bias by maximum likelihood (Platt 1999; Guo et al. 2017), films may be weighted."""
    from scipy.optimize import minimize

    weight = np.ones_like(logits) if weights is None else weights

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = logits * np.exp(-parameters[0]) + parameters[1]
        return float(np.average(np.logaddexp(0, scaled) - labels * scaled, weights=weight))

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
    return Scaling(temperature=float(np.exp(found.x[0])), bias=float(found.x[1]))


@dataclass(frozen=True)
class OperatingChoice:
    """The threshold chosen, its borderline band, and the policy in words."""

    threshold: float
    borderline: tuple[float, float]
    policy: str


def choose_threshold(
    sets: Mapping[str, tuple[Floats, Floats]],
    *,
    sensitivity: float = 0.95,
    least: float = 0.90,
    limits: tuple[float, float] = (0.3, 0.7),
    band: float = 0.03,
) -> OperatingChoice:
    """Choose the operating point from shift tests, name to (labels, calibrated probabilities).

    One set is named "clean". The highest threshold at which the mean sensitivity of the sets is at least
    `sensitivity` and that of each at least `least`, kept within `limits`. The mean decides, because the
    lowest of ten sets of 80 films each is mostly chance.
    """
    sick = [probabilities[labels == 1] for labels, probabilities in sets.values()]
    # Sensitivity changes only at a sick film's own probability.
    candidates = np.unique(np.concatenate(sick))
    kept = np.array([[(films >= candidate).mean() for films in sick] for candidate in candidates])
    allowed = candidates[(kept.mean(axis=1) >= sensitivity) & (kept.min(axis=1) >= least)]
    # Rounded down, so that rounding loses no film.
    threshold = float(np.clip(np.floor(allowed[-1] * 1000) / 1000, *limits))
    labels, probabilities = sets["clean"]
    low = float(np.quantile(probabilities[labels == 1], band))
    high = float(np.quantile(probabilities[labels == 0], 1 - band))
    low, high = min(low, high, threshold), max(low, high, threshold)
    policy = POLICY.format(sensitivity=sensitivity, least=least, low=limits[0], high=limits[1], band=band)
    return OperatingChoice(threshold, (round(low, 3), round(high, 3)), policy)


def rates_at(labels: Floats, probabilities: Floats, threshold: float) -> dict[str, float]:
    """Accuracy, sensitivity, specificity, precision and NPV at a threshold."""
    return {
        name: share(*counts) for name, counts in rates(confusion(labels, probabilities, threshold)).items()
    }
