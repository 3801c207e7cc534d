"""How far ways of preparing films resist a change of camera: a linear probe on frozen VGG16 features.

    .venv/bin/python -m benchmarks.preparation_probe --data chest_xray --base-weights vgg16_notop.weights.h5

For each preparation a logistic regression is fitted to 500 class-balanced training films and read on 180
validation films, unchanged and changed as the shift tests change them, and on those whose acquisition looks
like the other class's. One JSON line each. About two and a half minutes a preparation on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pneumoml.evaluation.shift_tests import changes, chosen_films
from pneumoml.imaging.preprocess import PreprocessConfig, as_input, standardise
from pneumoml.statistics.metrics import auc, confusion, rates, share
from pneumoml.training.dataset import LabelledFilm, load_pixels, read_split
from pneumoml.training.features import balanced_pass
from pneumoml.training.recipe import load_recipe
from pneumoml.training.shortcuts import MetadataBaseline, reversed_indices
from pneumoml.training.train import Trunk

TRAINING_FILMS, EACH_CLASS, SEED = 500, 90, 42
CHANGES = ("clean", "swapped camera", "noise", "borders")
MIDDLE = slice(40, 184)  # of 224 pixels: a third of the work
Change = Callable[[NDArray[np.uint8], LabelledFilm], NDArray[np.uint8]]


def preparations() -> dict[str, PreprocessConfig]:
    """Name the ways to compare; all trim empty frames, crop and window."""
    shipped = load_recipe("robust").preprocessing
    finest_kept = (2.2, *shipped.band_targets[1:])
    return {
        "crop and window": replace(shipped, band_targets=()),
        "bands": replace(shipped, band_targets=finest_kept),
        "bands, finest faint": shipped,
    }


def features(
    trunk: Any, films: Sequence[LabelledFilm], config: PreprocessConfig, change: Change
) -> NDArray[np.float32]:
    """Mean of each channel of block 4 over the middle of each film, float32 (n, 512)."""

    def batches() -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(films), 20):
            some = films[start : start + 20]
            grey = (standardise(change(load_pixels(film), film), config) for film in some)
            yield np.stack([as_input(film[MIDDLE, MIDDLE]) for film in grey])

    return np.concatenate([trunk(tf.constant(batch)).numpy().mean((1, 2)) for batch in batches()])


def judged(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> dict[str, float]:
    """Films, AUC, and rates where the probe's own probability is one half."""
    found = rates(confusion(labels, 1 / (1 + np.exp(-scores)), 0.5))
    return {
        "n": len(labels),
        "auc": round(auc(labels, scores), 4),
        **{name: round(share(*found[name]), 3) for name in ("sensitivity", "specificity")},
    }


def main() -> None:
    """Fit and read one probe for each preparation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with split.csv")
    parser.add_argument("--base-weights", type=Path, required=True)
    options = parser.parse_args()
    films = read_split(options.data)
    training = [film for film in films if film.split == "train"]
    validation = [film for film in films if film.split == "val"]
    labels = np.array([film.label for film in validation], dtype=np.float64)
    scores = MetadataBaseline(training).scores(validation)
    reversed_films = [validation[index] for index in reversed_indices(scores, labels)]
    fitted_to = balanced_pass(training, 0, 1)[:TRAINING_FILMS]
    chosen = chosen_films(validation, EACH_CLASS, SEED)
    model = Trunk(options.base_weights).model
    trunk = tf.function(lambda batch: model(batch, training=False))
    for name, config in preparations().items():
        plain = changes()["clean"]
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=2000))
        probe.fit(features(trunk, fitted_to, config, plain), [film.label for film in fitted_to])
        sets = {change: (chosen, changes()[change]) for change in CHANGES} | {
            "reversed": (reversed_films, plain)
        }
        for kind, (some, change) in sets.items():
            truth = np.array([film.label for film in some], dtype=np.float64)
            seen = probe.decision_function(features(trunk, some, config, change))
            print(json.dumps({"preparation": name, "films": kind, **judged(truth, seen)}), flush=True)


if __name__ == "__main__":
    main()
