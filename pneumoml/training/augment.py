"""Random changes to training films: geometry, and everything a different camera or archive would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pneumoml.imaging.preprocess import recompress

_VEIL_FIELDS, _VEIL_BLUR = 14, 12.0  # as in `reportcard`


@dataclass(frozen=True)
class AugmentConfig:
    """How far films are changed. The defaults change nothing.

    Geometry: `rotation` and `shear` in degrees either way, `shift` as a share of the side, `zoom` as the
    smallest and largest scale, `aspect` as the largest change of width against height (0.1: ±10 %), `flip`
    the probability of a mirror image. Acquisition: `gamma` and `contrast` as the largest logarithm of the
    factor either way, `brightness` in grey levels, `blur` and `sharpen` as the largest Gaussian sigma
    (pixels) and amount with `sharpness` the probability that one of them happens, `noise` as the largest
    standard deviation in grey levels, `jpeg` the lowest and highest quality with `jpeg_share` its
    probability, `clahe` the probability of local equalisation. Hiding: `erase` the probability of a hidden
    rectangle, `border` of hidden edges, `veil` of fields of the prepared film that are blurred away.
    `surroundings`: probability that a film of the other class gives what lies outside the thorax (see
    `surroundings`); at 0.5 that tells nothing about the class any more. `bands`: standard deviation of the
    logarithm by which each band's target contrast is varied, the standardisation's own uncertainty (see
    `preprocess`).
    """

    rotation: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    aspect: float = 0.0
    flip: float = 0.0
    gamma: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    sharpness: float = 0.0
    blur: float = 0.0
    sharpen: float = 0.0
    noise: float = 0.0
    jpeg: tuple[float, float] = (75.0, 95.0)
    jpeg_share: float = 0.0
    clahe: float = 0.0
    erase: float = 0.0
    border: float = 0.0
    veil: float = 0.0
    surroundings: float = 0.0
    bands: float = 0.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> AugmentConfig:
        """Read plain values, e.g. from a recipe file. Raises `TypeError` for a name that does not exist."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**plain)

    def to_mapping(self) -> dict[str, Any]:
        """Plain values; `from_mapping` reads them back."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def augment(pixels: NDArray[np.uint8], generator: Generator, config: AugmentConfig) -> NDArray[np.uint8]:
    """Change one grey film, uint8 (h, w), at random; the same generator state gives the same film."""
    return augment_with(pixels, np.ones(pixels.shape, np.float32), generator, config)[0]


def augment_with(
    pixels: NDArray[np.uint8], mask: NDArray[np.float32], generator: Generator, config: AugmentConfig
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Change a film as `augment` does, and move `mask`, float32 (h, w), along with what it marks."""
    moved, matrix = _geometry(pixels, generator, config)
    if matrix is not None:
        mask = np.asarray(cv2.warpAffine(mask, matrix, mask.shape[::-1]), np.float32)
    return _acquisition(moved.astype(np.float32), generator, config), mask


def _acquisition(film: NDArray[np.float32], generator: Generator, config: AugmentConfig) -> NDArray[np.uint8]:
    film = _tone(film, generator, config)
    film = _sharpness(film, generator, config)
    film = _hide(film, generator, config)
    grey = np.clip(np.rint(film), 0, 255).astype(np.uint8)
    if generator.random() < config.clahe:
        grey = np.asarray(cv2.createCLAHE(generator.uniform(1.0, 3.0), (8, 8)).apply(grey))
    if generator.random() < config.jpeg_share:
        grey = recompress(grey, int(generator.uniform(*config.jpeg)))
    return grey


def band_jitter(generator: Generator, config: AugmentConfig, bands: int) -> NDArray[np.float64]:
    """Draw one factor per band for the standardisation's target contrasts; ones where `bands` is 0."""
    return np.exp(generator.normal(0.0, config.bands, bands)) if config.bands else np.ones(bands)


def _geometry(
    pixels: NDArray[np.uint8], generator: Generator, config: AugmentConfig
) -> tuple[NDArray[np.uint8], NDArray[np.float64] | None]:
    """Move a film; return it with the matrix of what was done, None for nothing."""
    height, width = pixels.shape
    angle, shear = np.deg2rad((_either(generator, config.rotation), _either(generator, config.shear)))
    zoom = generator.uniform(*config.zoom)
    stretch = np.exp(_either(generator, np.log1p(config.aspect)))
    mirror = -1.0 if generator.random() < config.flip else 1.0
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = (
        rotate
        @ np.array([[1.0, np.tan(shear)], [0.0, 1.0]])
        @ np.diag([zoom * stretch * mirror, zoom / stretch])
    )
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([_either(generator, config.shift) * width, _either(generator, config.shift) * height])
    if np.allclose(linear, np.eye(2)) and not shift.any():
        return pixels, None
    matrix = np.column_stack((linear, centre + shift - linear @ centre))
    # Edges are filled in one of three ways, so that no way of filling becomes a sign of anything.
    border = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)[generator.integers(3)]
    value = float(generator.uniform(0, 60))
    moved = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=border, borderValue=value
    )
    return np.asarray(moved), matrix


def _either(generator: Generator, limit: float) -> float:
    return float(generator.uniform(-limit, limit))


def _tone(film: NDArray[np.float32], generator: Generator, config: AugmentConfig) -> NDArray[np.float32]:
    gamma = np.exp(_either(generator, config.gamma))
    contrast = np.exp(_either(generator, config.contrast))
    brightness = _either(generator, config.brightness)
    if gamma != 1.0:
        film = 255.0 * np.clip(film / 255.0, 0.0, 1.0) ** np.float32(gamma)
    if contrast == 1.0 and brightness == 0.0:
        return film
    middle = film.mean()
    return np.asarray(
        (film - middle) * np.float32(contrast) + middle + np.float32(brightness), dtype=np.float32
    )


def _sharpness(film: NDArray[np.float32], generator: Generator, config: AugmentConfig) -> NDArray[np.float32]:
    if generator.random() < config.sharpness:
        if generator.random() < 0.5:
            sigma = generator.uniform(0.2, max(config.blur, 0.21))
            film = np.asarray(cv2.GaussianBlur(film, (0, 0), sigma))
        else:
            film = sharpen(film, generator.uniform(0.0, config.sharpen))
    if config.noise:
        deviation = generator.uniform(0.0, config.noise)
        film = film + generator.normal(0.0, 1.0, film.shape).astype(np.float32) * np.float32(deviation)
    return film


def _hide(film: NDArray[np.float32], generator: Generator, config: AugmentConfig) -> NDArray[np.float32]:
    height, width = film.shape
    if generator.random() < config.border:
        film = film.copy()
        edges = (generator.uniform(0.0, 0.12, 4) * np.array([height, height, width, width])).astype(int)
        value = np.float32(generator.uniform(0, 80))
        film[: edges[0]], film[height - edges[1] :] = value, value
        film[:, : edges[2]], film[:, width - edges[3] :] = value, value
    if generator.random() < config.erase:
        film = film.copy()
        high, wide = (generator.uniform(0.1, 0.3, 2) * np.array([height, width])).astype(int)
        top, left = generator.integers(0, height - high), generator.integers(0, width - wide)
        film[top : top + high, left : left + wide] = generator.uniform(20, 220)
    return film


def veil(grey: NDArray[np.float32], generator: Generator, config: AugmentConfig) -> NDArray[np.float32]:
    """Blur some fields of a prepared film, float32 (h, w), away, so that blur is no sign of anything.

    The fields and the blur are those by which the report card takes parts of a film away.
    """
    if generator.random() >= config.veil:
        return grey
    hidden = generator.random((_VEIL_FIELDS, _VEIL_FIELDS)) < generator.uniform(0.1, 0.7)
    shape = grey.shape[::-1]
    mask = cv2.resize(hidden.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST) > 0
    return np.where(mask, cv2.GaussianBlur(grey, (0, 0), _VEIL_BLUR), grey)


def sharpen(film: NDArray[np.float32], amount: float, sigma: float = 1.2) -> NDArray[np.float32]:
    """Unsharp mask: add `amount` times what a Gaussian of `sigma` pixels takes away."""
    return np.asarray(
        film + np.float32(amount) * (film - cv2.GaussianBlur(film, (0, 0), sigma)), dtype=np.float32
    )
