"""From a trained network to a model version: shift tests, calibration, operating point, card, pictures."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumoml.cards.artifact import Artifact, write_artifact
from pneumoml.cards.texts import INTENDED_USE, LICENCE, LIMITS
from pneumoml.evaluation.charts import draw_epochs, draw_evaluation
from pneumoml.evaluation.shift_tests import changes, chosen_films
from pneumoml.network.predictor import Predictor
from pneumoml.network.vgg16 import ARCHITECTURE
from pneumoml.statistics.calibration import OperatingChoice, Scaling, choose_threshold, fit_scaling, rates_at
from pneumoml.statistics.drift import histogram
from pneumoml.statistics.metrics import Floats, auc, brier, ece, summary
from pneumoml.training.augment import AugmentConfig
from pneumoml.training.dataset import LabelledFilm, load_pixels
from pneumoml.training.features import PassPlan, cached_pass
from pneumoml.training.fitting import read_log, tail_logits
from pneumoml.training.progress import Report, named
from pneumoml.training.recipe import Recipe
from pneumoml.training.shortcuts import MetadataBaseline, matched_indices, metadata_auc, reversed_indices
from pneumoml.training.train import Trained

SHIFT_FILMS = 80
_CAM_FILMS = 60


@dataclass(frozen=True, eq=False)
class Measured:
    """Logits of one set of films with what is needed to judge them; arrays (n,)."""

    labels: Floats
    logits: Floats


@dataclass(frozen=True, eq=False)
class Judged:
    """Everything validation says about a network: sets by name, scaling, operating point."""

    sets: Mapping[str, Measured]
    scaling: Scaling
    choice: OperatingChoice

    def table(self) -> dict[str, dict[str, float]]:
        """Films, AUC, ECE and rates at the operating point of each set."""
        rows: dict[str, dict[str, float]] = {}
        for name, found in self.sets.items():
            probabilities = self.scaling.probabilities(found.logits)
            rows[name] = {
                "n": len(found.labels),
                "auc": auc(found.labels, found.logits),
                "ece": ece(found.labels, probabilities),
                "brier": brier(found.labels, probabilities),
                **rates_at(found.labels, probabilities, self.choice.threshold),
            }
        return rows


def judge(
    folder: Path,
    trained: Trained,
    films: Sequence[LabelledFilm],
    recipe: Recipe,
    report: Report | None = None,
) -> Judged:
    """Measure a trained network on clean and changed validation films; calibrate; choose the threshold.

    The frozen features of the changed films are cached under `folder`/passes, so judging again is cheap.
    """
    validation = [film for film in films if film.split == "val"]
    labels = np.array([film.label for film in validation], dtype=np.float64)
    clean = Measured(labels, tail_logits(trained.tail, trained.validation.features))
    sets = {"clean": clean}
    for name in changes():
        if name != "clean":
            sets[name] = _changed(folder, name, validation, trained=trained, recipe=recipe, report=report)
    scores = _metadata_scores(folder, films)
    for name, index in (
        ("matched", matched_indices(scores, labels)),
        ("reversed", reversed_indices(scores, labels)),
    ):
        sets[name] = Measured(labels[index], clean.logits[index])
    scaling = fit_scaling(labels, clean.logits)
    calibrated = {name: (found.labels, scaling.probabilities(found.logits)) for name, found in sets.items()}
    return Judged(sets, scaling, choose_threshold(calibrated))


def _changed(
    folder: Path,
    name: str,
    validation: Sequence[LabelledFilm],
    *,
    trained: Trained,
    recipe: Recipe,
    report: Report | None,
) -> Measured:
    chosen = chosen_films(validation, SHIFT_FILMS, recipe.seed)
    plan = PassPlan(
        number=0,
        films=tuple(chosen),
        side=recipe.preprocessing.size,
        seed=recipe.seed,
        preprocessing=recipe.preprocessing,
        augmentation=AugmentConfig(),
        change=name,
        trained_blocks=recipe.trained_blocks,
    )
    cached = cached_pass(
        folder / "passes" / f"shift-{name.replace(' ', '-')}",
        plan,
        trained.trunk.model,
        trained.trunk.digest,
        change=changes()[name],
        progress=named(report, f"shift test: {name}"),
    )
    return Measured(cached.labels.astype(np.float64), tail_logits(trained.tail, cached.features))


def _metadata_scores(folder: Path, films: Sequence[LabelledFilm]) -> Floats:
    """Scores of the metadata-only baseline on the validation films, computed once a run folder."""
    path = folder / "metadata_scores.npy"
    if not path.is_file():
        baseline = MetadataBaseline([film for film in films if film.split == "train"])
        np.save(path, baseline.scores([film for film in films if film.split == "val"]))
    return np.asarray(np.load(path), dtype=np.float64)


@dataclass(frozen=True)
class Release:
    """What a version is called and how it came about, for its card."""

    version: str
    command: str
    base: str
    note: str = ""


def write_version(
    folder: Path,
    *,
    run: Path,
    trained: Trained,
    judged: Judged,
    films: Sequence[LabelledFilm],
    recipe: Recipe,
    release: Release,
) -> Artifact:
    """Write weights, card and pictures of a version into `folder`; `run` is the training folder.

    The version is written, read back and run over validation films for its reference map strength, then
    written again with that figure.
    """
    validation = [film for film in films if film.split == "val"]
    clean = judged.sets["clean"]
    probabilities = judged.scaling.probabilities(clean.logits)
    metrics: dict[str, Any] = {
        "validation": summary(
            clean.labels, probabilities, judged.choice.threshold, [film.patient for film in validation]
        ),
        "score_histogram": {"of": "validation films, calibrated", "counts": histogram(probabilities)},
        "shift_tests": judged.table(),
        "metadata_only_auc": metadata_auc(_metadata_scores(run, films), validation),
    }
    card = _card(release, recipe=recipe, judged=judged, metrics=metrics, films=films, run=run)
    card["training"]["trained_layers"] = trained.trained_layers()
    weights = trained.weights()
    artifact = write_artifact(folder, card, weights)
    metrics["cam_reference"] = _cam_reference(artifact, validation)
    artifact = write_artifact(folder, card, weights)
    draw_evaluation(folder, clean.labels, probabilities, judged.choice.threshold)
    if lines := read_log(run / "log.csv"):
        draw_epochs(folder / "training.png", lines)
    return artifact


def _card(
    release: Release,
    *,
    recipe: Recipe,
    judged: Judged,
    metrics: dict[str, Any],
    films: Sequence[LabelledFilm],
    run: Path,
) -> dict[str, Any]:
    lines = read_log(run / "log.csv")
    return {
        "version": release.version,
        "architecture": ARCHITECTURE,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "preprocessing": recipe.preprocessing.to_card(),
        "calibration": {
            "temperature": judged.scaling.temperature,
            "bias": judged.scaling.bias,
            "method": "temperature and bias by maximum likelihood on the validation films",
        },
        "operating_point": {
            "threshold": judged.choice.threshold,
            "borderline": list(judged.choice.borderline),
            "policy": judged.choice.policy,
        },
        "metrics": metrics,
        "training": {
            "command": release.command,
            "seed": recipe.seed,
            "base_weights": release.base,
            "recipe": recipe.to_mapping(),
            "epochs": len(lines),
            "fitting_seconds": round(sum(line.seconds for line in lines)),
            "note": release.note,
        },
        "data": _data(films),
        "limits": LIMITS,
        "intended_use": INTENDED_USE,
        "licence": LICENCE,
    }


def _data(films: Sequence[LabelledFilm]) -> dict[str, Any]:
    counts = {
        split: {
            subtype: sum(film.split == split and film.subtype == subtype for film in films)
            for subtype in sorted({film.subtype for film in films})
        }
        for split in ("train", "val")
    }
    return {
        "source": "Kermany et al. 2018, doi 10.17632/rscbjbr9sj, training split, squashed to 224×224 JPEG",
        "split": "by patient, as file names give them",
        "films": counts,
        "patients": len({film.patient for film in films}),
    }


def _cam_reference(artifact: Artifact, validation: Sequence[LabelledFilm]) -> float:
    """The 95th percentile of Grad-CAM strengths over validation films with pneumonia."""
    sick = [film for film in validation if film.label == 1]
    step = max(1, len(sick) // _CAM_FILMS)
    predictor = Predictor.load(artifact)
    return float(
        np.quantile([predictor.predict(load_pixels(film)).cam_strength for film in sick[::step]], 0.95)
    )
