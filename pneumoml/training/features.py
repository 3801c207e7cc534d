"""The feature cache: the frozen blocks run once over augmented passes of films, kept as float16.

On two CPU cores the frozen part costs about 0.25 s a film and the trained part a quarter of that, so
training many epochs over a few cached passes is what makes training possible at all. A pass is made in
chunks and goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pneumoml.imaging.preprocess import PreprocessConfig, as_input, squash, standardise
from pneumoml.training.augment import AugmentConfig, augment, band_jitter
from pneumoml.training.dataset import LabelledFilm, load_pixels
from pneumoml.training.progress import Progress

Change = Callable[[NDArray[np.uint8], LabelledFilm], NDArray[np.uint8]]
_CHUNK = 16
_STRIDE = 16
_CHANNELS = 512


@dataclass(frozen=True)
class PassPlan:
    """What one pass holds: its number, films, input side in pixels, seed and how films are changed.

    A `side` smaller than the preprocessing's size takes a random crop of that side from each prepared film:
    the same anatomy at the same scale for (side/size)² of the work. `change` names a fixed change instead of
    augmentation (see `shift`).
    """

    number: int
    films: tuple[LabelledFilm, ...]
    side: int
    seed: int
    preprocessing: PreprocessConfig
    augmentation: AugmentConfig
    change: str = ""

    def fingerprint(self, base: str) -> str:
        """Sha256 (hex) of everything the features depend on, `base` being the digest of the base weights."""
        content = {
            "films": [[film.path.name, film.label] for film in self.films],
            "side": self.side,
            "seed": self.seed,
            "number": self.number,
            "change": self.change,
            "preprocessing": self.preprocessing.to_card(),
            "augmentation": self.augmentation.to_mapping(),
            "base": base,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CachedPass:
    """Features of one pass, float16 (n, h, w, 512), memory-mapped, and labels, float32 (n,)."""

    features: NDArray[np.float16]
    labels: NDArray[np.float32]


def balanced_pass(films: Sequence[LabelledFilm], number: int, seed: int) -> tuple[LabelledFilm, ...]:
    """Choose all films of the smaller class and as many of the larger, others in each pass, shuffled."""
    classes = [[film for film in films if film.label == label] for label in (0, 1)]
    count = min(len(of_class) for of_class in classes)
    chosen: list[LabelledFilm] = []
    for of_class in classes:
        # One endless deck, reshuffled at each end: every film is used before any is used twice.
        first = number * count
        for position in range(first, first + count):
            deck = np.random.default_rng((seed, position // len(of_class), len(of_class)))
            chosen.append(of_class[_card(deck, len(of_class), position % len(of_class))])
    order = np.random.default_rng((seed, number)).permutation(len(chosen))
    return tuple(chosen[index] for index in order)


def _card(generator: np.random.Generator, size: int, position: int) -> int:
    return int(generator.permutation(size)[position])


def full_pass(films: Sequence[LabelledFilm], number: int, seed: int) -> tuple[LabelledFilm, ...]:
    """All films once, in an order of its own for each pass."""
    return tuple(films[index] for index in np.random.default_rng((seed, number)).permutation(len(films)))


def film_input(plan: PassPlan, index: int, change: Change | None = None) -> NDArray[np.float32]:
    """Prepare film `index` of the plan as input, float32 (side, side, 3), the same every time."""
    film, config = plan.films[index], plan.preprocessing
    generator = np.random.default_rng((plan.seed, plan.number, index))
    pixels = load_pixels(film)
    pixels = (
        change(pixels, film) if change else augment(squash(pixels, config.size), generator, plan.augmentation)
    )
    jitter = band_jitter(generator, plan.augmentation, len(config.band_sigmas) + 1)
    grey = standardise(pixels, config, jitter)
    top, left = generator.integers(0, config.size - plan.side + 1, 2)
    return as_input(grey[top : top + plan.side, left : left + plan.side])


def cached_pass(
    folder: Path,
    plan: PassPlan,
    trunk: keras.Model,
    base: str,
    *,
    change: Change | None = None,
    progress: Progress | None = None,
) -> CachedPass:
    """Make one pass, or the rest of it, or just open it; `folder` holds this pass alone.

    A folder made with other settings is emptied first. `progress` is told (films done, films in all).
    """
    fingerprint, count = plan.fingerprint(base), len(plan.films)
    state_path, features_path = folder / "state.json", folder / "features.npy"
    state = _read_state(state_path)
    if state.get("fingerprint") != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        state = {"fingerprint": fingerprint, "done": 0}
        cells = plan.side // _STRIDE
        _new_array(features_path, (count, cells, cells, _CHANNELS))
    done = int(state["done"])
    if done < count:
        features = np.lib.format.open_memmap(features_path, mode="r+")
        run = tf.function(lambda batch: trunk(batch, training=False), reduce_retracing=True)
        while done < count:
            chunk = range(done, min(done + _CHUNK, count))
            inputs = np.stack([film_input(plan, index, change) for index in chunk])
            # Half precision ends at 65,504; VGG16's features stay below a few thousand.
            features[done : chunk.stop] = np.minimum(run(tf.constant(inputs)).numpy(), 65504.0)
            done = chunk.stop
            features.flush()
            _write_state(state_path, {"fingerprint": fingerprint, "done": done})
            if progress:
                progress(done, count)
    labels = np.array([film.label for film in plan.films], dtype=np.float32)
    return CachedPass(np.load(features_path, mmap_mode="r"), labels)


def _new_array(path: Path, shape: tuple[int, ...]) -> None:
    np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape).flush()


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and isinstance(state.get("done"), int) else {}


def _write_state(path: Path, state: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state), "utf-8")
    part.replace(path)
