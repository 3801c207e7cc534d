"""Training from films to weights: cached passes of the frozen blocks, then the other blocks and the head."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from pneumoml.network.vgg16 import base_weights, build_tail, build_trunk, layer_weights, set_layer_weights
from pneumoml.training.augment import AugmentConfig
from pneumoml.training.dataset import LabelledFilm
from pneumoml.training.features import CachedPass, PassPlan, balanced_pass, cached_pass, full_pass
from pneumoml.training.fitting import Fit, Weights, run_epochs
from pneumoml.training.progress import Report, named
from pneumoml.training.recipe import Recipe


class Trunk:
    """The frozen blocks with base weights; the digest (sha256, hex) is that of the base of all blocks."""

    def __init__(self, base: Path | None, trained_blocks: int = 1) -> None:
        """Load the base weights from `base`, or Keras's own. Raises `BaseWeightsRefused`."""
        self.weights = base_weights(base)
        self.model = build_trunk(trained_blocks)
        set_layer_weights(self.model, self.weights)
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            digest.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        self.digest = digest.hexdigest()


def training_plan(films: Sequence[LabelledFilm], recipe: Recipe, number: int) -> PassPlan:
    """Plan pass `number` of a recipe."""
    choose = balanced_pass if recipe.balanced else full_pass
    return PassPlan(
        number=number,
        films=choose(films, number, recipe.seed),
        side=recipe.sides[number % len(recipe.sides)],
        seed=recipe.seed,
        preprocessing=recipe.preprocessing,
        augmentation=recipe.augmentation,
        trained_blocks=recipe.trained_blocks,
    )


def validation_plan(films: Sequence[LabelledFilm], recipe: Recipe) -> PassPlan:
    """Plan the unchanged validation films at full size."""
    size = recipe.preprocessing.size
    return PassPlan(
        number=-1 % 2**32,
        films=tuple(films),
        side=size,
        seed=recipe.seed,
        preprocessing=recipe.preprocessing,
        augmentation=AugmentConfig(),
        trained_blocks=recipe.trained_blocks,
    )


def cache_passes(
    folder: Path, films: Sequence[LabelledFilm], recipe: Recipe, trunk: Trunk, report: Report | None = None
) -> list[CachedPass]:
    """Make, or open, all passes of a recipe under `folder`/passes."""
    passes = []
    for number in range(recipe.passes):
        plan = training_plan(films, recipe, number)
        name = f"pass {number + 1} of {recipe.passes}"
        passes.append(
            cached_pass(
                folder / "passes" / f"{number:03d}",
                plan,
                trunk.model,
                trunk.digest,
                progress=named(report, name),
            )
        )
    return passes


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished run: the tail with its final weights, the trunk, and the cached validation films."""

    tail: keras.Model
    trunk: Trunk
    validation: CachedPass

    def weights(self) -> Weights:
        """All weights of the whole network, "layer/variable" to float32."""
        return {**layer_weights(self.trunk.model), **layer_weights(self.tail)}

    def trained_layers(self) -> list[str]:
        """Names of the layers that were trained, from input to output; all others keep the base weights."""
        return [layer.name for layer in self.tail.layers if layer.trainable_weights]


def train(
    folder: Path,
    films: Sequence[LabelledFilm],
    recipe: Recipe,
    base: Path | None,
    report: Report | None = None,
) -> Trained:
    """Train a network on the films whose split is "train", watching those whose split is "val".

    `folder` holds the cache, the checkpoint and the run log; a run that was interrupted goes on there.
    `base` is a file of base weights, None for Keras's own. `report` is told (what, done, of how many).
    Raises `BaseWeightsRefused` and `DatasetRefused`.
    """
    keras.utils.set_random_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    _start_over_if_changed(folder, recipe)
    trunk = Trunk(base, recipe.trained_blocks)
    passes = cache_passes(folder, [film for film in films if film.split == "train"], recipe, trunk, report)
    plan = validation_plan([film for film in films if film.split == "val"], recipe)
    validation = cached_pass(
        folder / "passes" / "val",
        plan,
        trunk.model,
        trunk.digest,
        progress=named(report, "validation films"),
    )
    tail = build_tail(recipe.dropouts, recipe.trained_blocks)
    set_tail_base(tail, trunk.weights)
    longest = max(len(cached.labels) for cached in passes)
    fit = Fit(tail, recipe, math.ceil(longest / recipe.batch_size))
    set_layer_weights(tail, run_epochs(fit, passes, validation, folder, report))
    return Trained(tail, trunk, validation)


def set_tail_base(tail: keras.Model, base: Weights) -> None:
    """Start the trained blocks from the base weights; the head keeps its random ones."""
    set_layer_weights(tail, {**layer_weights(tail), **base})


def _start_over_if_changed(folder: Path, recipe: Recipe) -> None:
    """Forget checkpoint and log where the recipe has changed; cached passes check themselves."""
    state, content = folder / "recipe.json", json.dumps(recipe.to_mapping(), indent=2)
    if state.is_file() and state.read_text("utf-8") != content:
        for name in ("checkpoint.npz", "tail.npz", "log.csv"):
            (folder / name).unlink(missing_ok=True)
    state.write_text(content, "utf-8")
