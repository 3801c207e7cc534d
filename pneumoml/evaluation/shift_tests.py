"""Shift tests: fixed changes to validation films that another camera, archive or ward would make."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pneumoml.imaging.preprocess import recompress
from pneumoml.training.augment import sharpen
from pneumoml.training.dataset import LabelledFilm

Film = NDArray[np.uint8]
Change = Callable[[Film, LabelledFilm], Film]

# In the training films width/height is 1.25 on average for NORMAL and 1.51 for PNEUMONIA; both were squashed
# to squares, so anatomy is narrower in one class. Stretching by the quotient swaps them.
_ASPECT = 1.51 / 1.25


def changes() -> dict[str, Change]:
    """Name each shift test; "clean" leaves films as they are. Changes are the same every time."""
    return {
        "clean": lambda pixels, _: pixels,
        "soft": lambda pixels, _: _soften(pixels),
        "sharp": lambda pixels, _: _sharpen(pixels),
        "swapped camera": _swap_camera,
        "swapped aspect": _swap_aspect,
        "tone": lambda pixels, film: _gamma(pixels, 0.65 if _coin(film) else 1.5),
        "borders": lambda pixels, _: _blacken_edges(pixels),
        "noise": _noise,
        "small": lambda pixels, film: _scale(pixels, 0.85, 0.85, 6 if _coin(film) else -6),
    }


def chosen_films(films: Sequence[LabelledFilm], each: int, seed: int) -> list[LabelledFilm]:
    """Choose at most `each` films of either class for the changed sets, the same ones every time."""
    chosen: list[LabelledFilm] = []
    for label in (0, 1):
        of_class = [film for film in films if film.label == label]
        order = np.random.default_rng((seed, 11, label)).permutation(len(of_class))[:each]
        chosen.extend(of_class[index] for index in sorted(order))
    return chosen


def _coin(film: LabelledFilm) -> bool:
    return zlib.crc32(film.path.name.encode()) % 2 == 0


def _grey(values: NDArray[np.float32]) -> Film:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _soften(pixels: Film) -> Film:
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.9 * len(pixels) / 224)
    return recompress(_grey((soft - soft.mean()) * 0.8 + soft.mean() + 8), 50)


def _sharpen(pixels: Film) -> Film:
    crisp = sharpen(pixels.astype(np.float32), 0.8, 1.2 * len(pixels) / 224)
    return _grey((crisp - crisp.mean()) * 1.1 + crisp.mean())


def _swap_camera(pixels: Film, film: LabelledFilm) -> Film:
    return _soften(pixels) if film.label == 0 else _sharpen(pixels)


def _swap_aspect(pixels: Film, film: LabelledFilm) -> Film:
    return _scale(pixels, 1 / _ASPECT, 1.0, 0) if film.label == 0 else _scale(pixels, _ASPECT, 1.0, 0)


def _gamma(pixels: Film, gamma: float) -> Film:
    table = _grey((255 * (np.arange(256) / 255) ** gamma).astype(np.float32))
    return np.asarray(table[pixels], dtype=np.uint8)


def _blacken_edges(pixels: Film, share: float = 0.08) -> Film:
    edge = round(share * len(pixels))
    changed = np.zeros_like(pixels)
    changed[edge:-edge, edge:-edge] = pixels[edge:-edge, edge:-edge]
    return changed


def _noise(pixels: Film, film: LabelledFilm) -> Film:
    generator = np.random.default_rng(zlib.crc32(film.path.name.encode()))
    noise = generator.normal(0, 8, pixels.shape)
    return recompress(_grey((pixels + noise).astype(np.float32)), 30)


def _scale(pixels: Film, across: float, down: float, degrees: float) -> Film:
    height, width = pixels.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([across, down])
    matrix = np.column_stack((linear, centre - linear @ centre))
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
