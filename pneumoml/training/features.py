"""The feature cache: the frozen blocks run once over augmented passes of films, kept as float16.

On two CPU cores blocks 1 to 4 cost about 0.25 s a film and block 5 a quarter of that, so training many epochs
over a few cached passes is what makes training possible at all. A pass is made in chunks and goes on where it
stopped.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike, NDArray

from pneumoml.imaging.preprocess import PreprocessConfig, as_input, seen_area, squash, standardise
from pneumoml.network.vgg16 import trunk_grid
from pneumoml.training.augment import AugmentConfig, augment_with, band_jitter, veil
from pneumoml.training.dataset import LabelledFilm, load_pixels
from pneumoml.training.progress import Progress
from pneumoml.training.surroundings import swap_surroundings, thorax_mask, thorax_on_map

Change = Callable[[NDArray[np.uint8], LabelledFilm], NDArray[np.uint8]]
_CHUNK = 16
_STATE, _ARRAYS = "state.json", ("features.npy", "thorax.npy")
MAP_STRIDE = 16  # pixels of the film to a field of the map at the last convolution


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
    trained_blocks: int = 1

    def fingerprint(self, base: str) -> str:
        """Sha256 (hex) of everything the features depend on, `base` being the digest of the base weights."""
        content = {
            "films": [[film.path.name, film.label] for film in self.films],
            "side": self.side,
            "seed": self.seed,
            "number": self.number,
            "change": self.change,
            "trained_blocks": self.trained_blocks,
            "preprocessing": self.preprocessing.to_card(),
            "augmentation": self.augmentation.to_mapping(),
            "base": base,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CachedPass:
    """Features of one pass, float16 (n, h, w, channels), memory-mapped, and labels, float32 (n,).

    `thorax` is the share of each field of the map at the last convolution that is thorax, as 0–255: uint8
    (n, side/16, side/16).
    """

    features: NDArray[np.float16]
    labels: NDArray[np.float32]
    thorax: NDArray[np.uint8]


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
    return film_and_thorax(plan, index, change)[0]


def film_and_thorax(
    plan: PassPlan, index: int, change: Change | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Prepare film `index` as `film_input` does, and say where the thorax lies, as `CachedPass` does."""
    film, config = plan.films[index], plan.preprocessing
    generator = np.random.default_rng((plan.seed, plan.number, index))
    # What came later draws from a generator of its own: the draws of older recipes stay as they were.
    later = np.random.default_rng((plan.seed, plan.number, index, 1))
    pixels = load_pixels(film)
    if change:
        pixels = change(pixels, film)
        thorax = thorax_mask(squash(pixels, config.size), config)
    else:
        pixels = squash(pixels, config.size)
        thorax = thorax_mask(pixels, config)
        if later.random() < plan.augmentation.surroundings:
            pixels = swap_surroundings(pixels, _donor(plan, film.label, later), thorax)
        pixels, thorax = augment_with(pixels, thorax, generator, plan.augmentation)
    jitter = band_jitter(generator, plan.augmentation, len(config.band_sigmas) + 1)
    grey = veil(standardise(pixels, config, jitter), later, plan.augmentation)
    thorax = _as_seen(thorax, squash(pixels, config.size), config)
    top, left = generator.integers(0, config.size - plan.side + 1, 2)
    part = slice(top, top + plan.side), slice(left, left + plan.side)
    return as_input(grey[part]), thorax_on_map(thorax[part], plan.side // MAP_STRIDE)


def _donor(plan: PassPlan, label: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one of the plan's films of the other class, squashed."""
    others = [film for film in plan.films if film.label != label]
    return squash(load_pixels(others[generator.integers(len(others))]), plan.preprocessing.size)


def _as_seen(
    thorax: NDArray[np.float32], small: NDArray[np.uint8], config: PreprocessConfig
) -> NDArray[np.float32]:
    """Cut a mask to the part of the film that the network sees, at the size it sees it in."""
    left, top, right, bottom = (round(share * config.size) for share in seen_area(small, config))
    return np.asarray(cv2.resize(thorax[top:bottom, left:right], (config.size, config.size)), np.float32)


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
    fingerprint, state = plan.fingerprint(base), _read_state(folder / _STATE)
    if state.get("fingerprint") != fingerprint:
        _start_pass(folder, plan)
        state = {"done": 0}
    run = tf.function(lambda batch: trunk(batch, training=False), reduce_retracing=True)
    done, count = int(state["done"]), len(plan.films)
    if done < count:
        features, thorax = (np.lib.format.open_memmap(folder / name, mode="r+") for name in _ARRAYS)
    while done < count:
        chunk = slice(done, min(done + _CHUNK, count))
        films = [film_and_thorax(plan, index, change) for index in range(chunk.start, chunk.stop)]
        # Half precision ends at 65,504; VGG16's features stay below a few thousand.
        inputs = tf.constant(np.stack([film for film, _ in films]))
        features[chunk] = np.minimum(run(inputs).numpy(), 65504.0)
        thorax[chunk] = np.stack([mask for _, mask in films])
        features.flush()
        thorax.flush()
        done = chunk.stop
        _write_state(folder / _STATE, {"fingerprint": fingerprint, "done": done})
        if progress:
            progress(done, count)
    labels = np.array([film.label for film in plan.films], dtype=np.float32)
    features, thorax = (np.load(folder / name, mmap_mode="r") for name in _ARRAYS)
    return CachedPass(features, labels, thorax)


def _start_pass(folder: Path, plan: PassPlan) -> None:
    """Empty the folder and make the arrays that a pass fills."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stride, channels = trunk_grid(plan.trained_blocks)
    cells, fields = plan.side // stride, plan.side // MAP_STRIDE
    _new_array(folder / _ARRAYS[0], np.float16, (len(plan.films), cells, cells, channels))
    _new_array(folder / _ARRAYS[1], np.uint8, (len(plan.films), fields, fields))


def _new_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


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
