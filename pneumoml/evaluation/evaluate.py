"""Evaluation of one model version on a folder of labelled films."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumoml.cards.artifact import Artifact
from pneumoml.network.predictor import Predictor
from pneumoml.statistics.intervals import wilson
from pneumoml.statistics.metrics import Floats, predictive_values, share, summary
from pneumoml.training.dataset import LabelledFilm, load_pixels

PREVALENCES = (0.625, 0.3, 0.1, 0.05, 0.02)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Labels 0 or 1, logits and calibrated probabilities, each (n,), and the metrics as plain values."""

    labels: Floats
    logits: Floats
    probabilities: Floats
    metrics: dict[str, Any]


def evaluate(
    artifact: Artifact,
    films: Sequence[LabelledFilm],
    *,
    prevalences: Sequence[float] = PREVALENCES,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Read every film with the version and measure it at the card's operating point.

    `progress` is told (films done, films in all). Raises `DatasetRefused` (film_unreadable), and
    `ArtifactRefused` as `Predictor.load` does.
    """
    predictor = Predictor.load(artifact)
    logits, probabilities = [], []
    for done, film in enumerate(films, start=1):
        result = predictor.predict(load_pixels(film))
        logits.append(result.logit)
        probabilities.append(result.calibrated_probability)
        if progress:
            progress(done, len(films))
    labels = np.array([film.label for film in films], dtype=np.float64)
    calibrated = np.array(probabilities, dtype=np.float64)
    threshold = artifact.card.operating_point.threshold
    metrics = summary(labels, calibrated, threshold, [film.patient for film in films])
    metrics["subtypes"] = subtype_sensitivity(films, calibrated, threshold)
    metrics["predictive_values"] = [
        {"prevalence": prevalence, "ppv": values[0], "npv": values[1]}
        for prevalence in prevalences
        for values in [predictive_values(metrics["sensitivity"], metrics["specificity"], prevalence)]
    ]
    return Evaluation(labels, np.array(logits, dtype=np.float64), calibrated, plain(metrics))


def subtype_sensitivity(
    films: Sequence[LabelledFilm], probabilities: Floats, threshold: float
) -> dict[str, dict[str, Any]]:
    """Sensitivity, its 95 % Wilson interval and the number of films, by subtype of pneumonia."""
    found: dict[str, dict[str, Any]] = {}
    for subtype in sorted({film.subtype for film in films if film.label == 1}):
        chosen = [index for index, film in enumerate(films) if film.label == 1 and film.subtype == subtype]
        hits = int((probabilities[chosen] >= threshold).sum())
        found[subtype] = {
            "n": len(chosen),
            "sensitivity": share(hits, len(chosen)),
            "sensitivity_ci": list(wilson(hits, len(chosen))),
        }
    return found


def plain(value: Any) -> Any:
    """Replace numbers JSON does not know (not a number) by None, in dictionaries and lists too."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
