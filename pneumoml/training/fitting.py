"""Fitting the trained part to cached features: optimiser, schedule, mixing, averaging, checkpoints."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pneumoml.network.vgg16 import layer_weights, set_layer_weights
from pneumoml.training.features import CachedPass
from pneumoml.training.progress import Progress, Report, named
from pneumoml.training.quiet import SplitTail
from pneumoml.training.recipe import Recipe

_EVALUATION_BATCH = 32
Weights = dict[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Epoch:
    """One line of the run log: losses are binary cross-entropies, `seconds` wall-clock time."""

    epoch: int
    learning_rate: float
    loss: float
    val_loss: float
    val_auc: float
    seconds: float


def tail_logits(tail: keras.Model, features: NDArray[np.float16]) -> NDArray[np.float64]:
    """Logits, (n,), of cached features, float16 (n, h, w, channels)."""
    run = tf.function(lambda batch: tail(batch, training=False), reduce_retracing=True)
    parts = [
        run(tf.constant(features[start : start + _EVALUATION_BATCH].astype(np.float32))).numpy()[:, 0]
        for start in range(0, len(features), _EVALUATION_BATCH)
    ]
    return np.concatenate(parts).astype(np.float64)


class Fit:
    """One run: the tail, its optimiser and the running average of its weights."""

    def __init__(self, tail: keras.Model, recipe: Recipe, steps_per_epoch: int) -> None:
        """Prepare a run of `recipe.epochs` epochs of `steps_per_epoch` batches."""
        self.tail, self.recipe, self.steps_per_epoch = tail, recipe, steps_per_epoch
        self.optimiser = _optimiser(recipe, steps_per_epoch)
        self.optimiser.build(tail.trainable_variables)
        self.average = [tf.Variable(variable.value) for variable in tail.trainable_variables]
        self.steps = 0
        self._split = SplitTail(tail) if recipe.quiet else None
        self._step = tf.function(self._train_step, reduce_retracing=True)

    def _train_step(
        self, features: tf.Tensor, targets: tf.Tensor, thorax: tf.Tensor, momentum: tf.Tensor
    ) -> tf.Tensor:
        """Take one step; return the cross-entropy without the penalty."""
        variables = self.tail.trainable_variables
        with tf.GradientTape() as tape:
            if self._split:
                logits, outside = self._split(features, thorax)
            else:
                logits, outside = self.tail(features, training=True)[:, 0], 0.0
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))
            whole = loss + self.recipe.quiet * outside
        self.optimiser.apply_gradients(zip(tape.gradient(whole, variables), variables, strict=True))
        for kept, variable in zip(self.average, variables, strict=True):
            kept.assign(momentum * kept + (1.0 - momentum) * variable.value)
        return loss

    def train_epoch(self, epoch: int, data: CachedPass, progress: Progress | None = None) -> float:
        """Go once over a cached pass and return the mean loss."""
        losses = []
        count = math.ceil(len(data.labels) / self.recipe.batch_size)
        for number, batch in enumerate(batches(data, self.recipe, epoch), start=1):
            # A young average forgets faster, so that it does not hang on to the random start.
            momentum = min(self.recipe.average, (1 + self.steps) / (10 + self.steps))
            losses.append(float(self._step(*map(tf.constant, batch), tf.constant(momentum))))
            self.steps += 1
            if progress:
                progress(number, count)
        return float(np.mean(losses))

    def averaged(self) -> Weights:
        """Weights to evaluate and ship: the running average where the recipe has one."""
        if not self.recipe.average:
            return layer_weights(self.tail)
        names = [f"{layer.name}/{v.name}" for layer in self.tail.layers for v in layer.trainable_weights]
        return dict(zip(names, (kept.numpy() for kept in self.average), strict=True))

    def save(self, path: Path, epoch: int) -> None:
        """Write everything the run needs to go on after `epoch`."""
        arrays: dict[str, Any] = {f"v{index}": np.asarray(value) for index, value in enumerate(self._state())}
        part = path.with_name("checkpoint.part.npz")
        np.savez(part, epoch=epoch, steps=self.steps, **arrays)
        part.replace(path)

    def restore(self, path: Path) -> int:
        """Read what `save` wrote and return the number of epochs done; 0 where there is no checkpoint."""
        if not path.is_file():
            return 0
        with np.load(path) as stored:
            for index, variable in enumerate(self._state()):
                variable.assign(stored[f"v{index}"])
            self.steps = int(stored["steps"])
            return int(stored["epoch"])

    def _state(self) -> list[Any]:
        # The tail's other variables are the states of the dropouts' random generators.
        return [*self.tail.variables, *self.optimiser.variables, *self.average]


def _optimiser(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        total = recipe.epochs * steps_per_epoch
        warmup = min(50, total // 10)
        rate = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate / 10,
            total - warmup,
            0.01,
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup,
        )
    clip = {"global_clipnorm": recipe.clip_norm} if recipe.clip_norm else {}
    if recipe.optimiser == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **clip)
    return keras.optimizers.Adam(rate, **clip)


def batches(
    data: CachedPass, recipe: Recipe, epoch: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    """Yield shuffled, mixed, cut batches: features (b, h, w, channels), targets (b,), thorax, all float32.

    The thorax is that of `CachedPass` as shares (0–1); it is neither mixed nor cut.
    """
    generator = np.random.default_rng((recipe.seed, 7, epoch))
    order = generator.permutation(len(data.labels))
    smoothing = recipe.label_smoothing
    for start in range(0, len(order), recipe.batch_size):
        chosen = np.sort(order[start : start + recipe.batch_size])
        features = data.features[chosen].astype(np.float32)
        targets = data.labels[chosen] * (1 - smoothing) + smoothing / 2
        if recipe.cut:
            features = _cut(features, generator, recipe.cut)
        if recipe.mixup:
            partner = generator.permutation(len(chosen))
            share = generator.beta(recipe.mixup, recipe.mixup, len(chosen)).astype(np.float32)
            share = np.maximum(share, 1 - share)
            features = _mix(features, features[partner], share[:, None, None, None])
            targets = _mix(targets, targets[partner], share)
        thorax = data.thorax[chosen].astype(np.float32) * np.float32(1 / 255)
        yield features, targets.astype(np.float32), thorax


def _mix(
    one: NDArray[np.float32], other: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    return one * share + other * (1 - share)


def _cut(features: NDArray[np.float32], generator: np.random.Generator, most: int) -> NDArray[np.float32]:
    top, bottom, left, right = generator.integers(0, most + 1, 4)
    height, width = features.shape[1:3]
    return features[:, top : height - bottom, left : width - right]


@dataclass
class Plateau:
    """Halving of the rate and early stopping by validation loss, as the plain recipe has them."""

    recipe: Recipe
    best: float = math.inf
    waited: int = 0

    def stop_after(self, val_loss: float, fit: Fit) -> bool:
        """Take note of an epoch, lower the rate where due, and say whether to stop."""
        if val_loss < self.best:
            self.best, self.waited = val_loss, 0
            return False
        self.waited += 1
        if self.recipe.schedule == "plateau" and self.waited % self.recipe.plateau_patience == 0:
            fit.optimiser.learning_rate.assign(fit.optimiser.learning_rate * self.recipe.plateau_factor)
        return 0 < self.recipe.patience <= self.waited


def run_epochs(
    fit: Fit,
    passes: Sequence[CachedPass],
    validation: CachedPass,
    folder: Path,
    report: Report | None = None,
) -> Weights:
    """Train to the end, going on from `folder`/checkpoint.npz, logging to `folder`/log.csv.

    Returns the weights of the best epoch by validation loss, or with a running average those of the last.
    """
    recipe = fit.recipe
    first = fit.restore(folder / "checkpoint.npz")
    plateau = Plateau(recipe)
    for line in read_log(folder / "log.csv")[:first]:
        plateau.stop_after(line.val_loss, fit)
    for epoch in range(first, recipe.epochs):
        name = f"epoch {epoch + 1} of {recipe.epochs}"
        started = time.monotonic()
        loss = fit.train_epoch(epoch, passes[epoch % len(passes)], named(report, name))
        weights = fit.averaged()
        val_loss, val_auc = _validate(fit, weights, validation)
        line = Epoch(
            epoch + 1, float(fit.optimiser.learning_rate), loss, val_loss, val_auc, time.monotonic() - started
        )
        stop = plateau.stop_after(val_loss, fit)
        if recipe.average or plateau.waited == 0:
            _store(folder / "tail.npz", weights)
        fit.save(folder / "checkpoint.npz", epoch + 1)
        _log(folder / "log.csv", line)
        if stop:
            break
    with np.load(folder / "tail.npz") as stored:
        return dict(stored)


def _store(path: Path, weights: Mapping[str, Any]) -> None:
    part = path.with_name("tail.part.npz")
    np.savez(part, **weights)
    part.replace(path)


def _validate(fit: Fit, weights: Weights, validation: CachedPass) -> tuple[float, float]:
    from sklearn.metrics import log_loss, roc_auc_score

    current = layer_weights(fit.tail)
    set_layer_weights(fit.tail, weights)
    logits = tail_logits(fit.tail, validation.features)
    set_layer_weights(fit.tail, current)
    probabilities = 1 / (1 + np.exp(-logits))
    return (
        float(log_loss(validation.labels, probabilities)),
        float(roc_auc_score(validation.labels, logits)),
    )


def read_log(path: Path) -> list[Epoch]:
    """Read the run log; empty where there is none."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [
            Epoch(int(row["epoch"]), *(float(row[entry.name]) for entry in fields(Epoch)[1:]))
            for row in csv.DictReader(stream)
        ]


def _log(path: Path, line: Epoch) -> None:
    new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow([entry.name for entry in fields(Epoch)])
        writer.writerow(astuple(line))
