"""Pictures that are no upright chest films, made in code: what the scope gate is measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Generator = np.random.Generator
SIDE = 320
_WORDS = (
    "the",
    "of",
    "film",
    "lung",
    "report",
    "date",
    "normal",
    "patient",
    "page",
    "study",
    "table",
    "figure",
)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture that should be refused: its kind, and grey pixels, uint8 (H, W)."""

    kind: str
    pixels: Grey


def pictures(each: int, seed: int = 7) -> Iterator[Picture]:
    """Make `each` pictures of every kind in `KINDS`, the same ones for the same seed."""
    for number, (kind, make) in enumerate(KINDS.items()):
        for index in range(each):
            yield Picture(kind, make(np.random.default_rng((seed, number, index))))


def turned(pixels: Grey) -> dict[str, Grey]:
    """Turn, mirror or invert one film, uint8 (H, W): the ways in which real films arrive wrong, by name."""
    return {
        "inverted": np.asarray(255 - pixels, dtype=np.uint8),
        "turned by 90°": np.ascontiguousarray(np.rot90(pixels)),
        "turned by 180°": np.ascontiguousarray(np.rot90(pixels, 2)),
        "turned by 270°": np.ascontiguousarray(np.rot90(pixels, 3)),
        "upside down, mirrored": np.ascontiguousarray(pixels[::-1]),
        "mirrored left to right": np.ascontiguousarray(pixels[:, ::-1]),
    }


def _grey(values: NDArray[np.floating[Any]]) -> Grey:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def _spread(values: NDArray[np.floating[Any]], low: float = 0.0, high: float = 255.0) -> Grey:
    least, most = float(values.min()), float(values.max())
    return _grey(low + (values - least) * ((high - low) / max(most - least, 1e-9)))


def _blank(generator: Generator) -> Grey:
    level = generator.uniform(0, 255)
    return _grey(level + generator.normal(0, generator.uniform(0, 2), (SIDE, SIDE)))


def _noise(generator: Generator) -> Grey:
    noise = generator.normal(128, generator.uniform(10, 80), (SIDE, SIDE))
    if generator.random() < 0.4:
        return _grey(noise)
    return _grey(np.asarray(cv2.GaussianBlur(noise, (0, 0), generator.uniform(0.3, 4)), dtype=np.float64))


def _gradient(generator: Generator) -> Grey:
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, bend = generator.uniform(0, 2 * np.pi), generator.uniform(-1, 1)
    plane = rows * np.sin(angle) + columns * np.cos(angle) + bend * (rows**2 + columns**2)
    return _grey(_spread(plane) + generator.normal(0, generator.uniform(0, 3), plane.shape))


def _cloud_field(generator: Generator, slope: float) -> NDArray[np.float64]:
    """Noise whose amplitude falls with spatial frequency as 1/f**slope, as that of natural scenes does."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = 1 / SIDE
    spectrum = np.fft.rfft2(generator.normal(size=(SIDE, SIDE))) / frequency**slope
    return np.asarray(np.fft.irfft2(spectrum, (SIDE, SIDE)))


def _clouds(generator: Generator) -> Grey:
    return _spread(_cloud_field(generator, generator.uniform(0.8, 1.8)))


def _dead_leaves(generator: Generator) -> Grey:
    """Discs that hide one another, radii by a power law: the statistics of photographs (Lee et al. 2001)."""
    canvas = np.full((SIDE, SIDE), generator.uniform(0, 255))
    for _ in range(400):
        centre = tuple(int(value) for value in generator.integers(0, SIDE, 2))
        radius = int(min(4 / np.sqrt(generator.uniform(0.002, 1)), 90))
        cv2.circle(canvas, centre, radius, generator.uniform(0, 255), -1, cv2.LINE_AA)
    return _grey(cv2.GaussianBlur(canvas, (0, 0), 0.7) + 6 * _cloud_field(generator, 0.5))


def _scene(generator: Generator) -> Grey:
    """A made photograph: sky, ground, a horizon and houses or trees in front."""
    horizon = int(generator.uniform(0.3, 0.7) * SIDE)
    canvas = np.empty((SIDE, SIDE))
    canvas[:horizon] = np.linspace(generator.uniform(150, 220), 235, horizon)[:, None]
    canvas[horizon:] = np.linspace(generator.uniform(40, 120), 60, SIDE - horizon)[:, None]
    canvas += 14 * _normed(_cloud_field(generator, 1.2))
    for _ in range(int(generator.integers(3, 9))):
        left, width, height = generator.uniform((0, 15, 30), (SIDE, 80, horizon))
        corner = (int(left), int(horizon + 20 - height))
        level = generator.uniform(20, 200)
        if generator.random() < 0.5:
            cv2.rectangle(canvas, corner, (int(left + width), horizon + 25), level, -1)
        else:
            cv2.ellipse(canvas, corner, (int(width / 2), int(width / 2)), 0, 0, 360, level, -1)
            cv2.line(canvas, corner, (corner[0], horizon + 25), level * 0.6, 6)
    return _grey(cv2.GaussianBlur(canvas, (0, 0), 0.8) + generator.normal(0, 3, canvas.shape))


def _normed(field: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-9))


def _text(generator: Generator) -> Grey:
    page = np.full((SIDE, SIDE), 250, np.uint8)
    size = generator.uniform(0.3, 0.8)
    for baseline in range(20, SIDE, int(14 + 26 * size)):
        if generator.random() < 0.85:
            line = " ".join(generator.choice(_WORDS, 14).tolist())
            cv2.putText(page, line, (12, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 1, cv2.LINE_AA)
    return 255 - page if generator.random() < 0.25 else page


def _chart(generator: Generator) -> Grey:
    page = np.full((SIDE, SIDE), 255, np.uint8)
    cv2.line(page, (40, 20), (40, 280), 0, 2)
    cv2.line(page, (40, 280), (300, 280), 0, 2)
    heights = generator.uniform(20, 240, 10)
    places = np.linspace(50, 290, 10).astype(int)
    if generator.random() < 0.5:
        for place, height in zip(places, heights, strict=True):
            cv2.rectangle(
                page, (place - 9, int(280 - height)), (place + 9, 280), generator.uniform(30, 200), -1
            )
    else:
        points = np.column_stack((places, 280 - heights)).astype(np.int32)
        cv2.polylines(page, [points], False, 60, 2, cv2.LINE_AA)
    cv2.putText(page, "Figure", (120, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
    return page


def _drawing(generator: Generator) -> Grey:
    dark = generator.random() < 0.4
    page = np.full((SIDE, SIDE), 15 if dark else 245, np.uint8)
    ink = 230 if dark else 30
    for _ in range(int(generator.integers(5, 25))):
        points = generator.integers(0, SIDE, (int(generator.integers(3, 7)), 2)).astype(np.int32)
        if generator.random() < 0.4:
            cv2.ellipse(page, points[0].tolist(), (points[1] // 3).tolist(), 0, 0, 360, ink, 2, cv2.LINE_AA)
        else:
            cv2.polylines(page, [points], generator.random() < 0.5, ink, 2, cv2.LINE_AA)
    return page


def _pattern(generator: Generator) -> Grey:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    period, angle = generator.uniform(6, 80), generator.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period)
    if generator.random() < 0.5:
        wave = wave * np.sin(2 * np.pi * (rows * np.cos(angle) - columns * np.sin(angle)) / period)
    return _spread(np.sign(wave) if generator.random() < 0.5 else wave)


def _limb(generator: Generator) -> Grey:
    """Film-like: bright bones in grey soft tissue on black, as of a hand or a leg."""
    canvas = np.full((SIDE, SIDE), 8.0)
    count = int(generator.integers(1, 6))
    for place in np.linspace(60, 260, count + 2)[1:-1]:
        foot = (int(place + generator.normal(0, 8)), int(generator.uniform(250, 330)))
        head = (int(place + generator.normal(0, 40)), int(generator.uniform(-20, 80)))
        width = int(generator.uniform(30, 150 / count + 30))
        cv2.line(canvas, foot, head, generator.uniform(70, 120), width)
        cv2.line(canvas, foot, head, generator.uniform(170, 230), max(5, width // 3))
    soft = cv2.GaussianBlur(canvas, (0, 0), 3)
    return _grey(soft + 5 * _normed(_cloud_field(generator, 1.0)))


def _ultrasound(generator: Generator) -> Grey:
    """Film-like: a fan of speckle on black."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    distance = np.hypot(rows + 30, columns - SIDE / 2)
    angle = np.abs(np.arctan2(columns - SIDE / 2, rows + 30))
    inside = (angle < generator.uniform(0.4, 0.8)) & (distance > 60) & (distance < SIDE)
    speckle = np.abs(generator.normal(0, 1, (SIDE, SIDE)))
    speckle = cv2.GaussianBlur(speckle, (0, 0), generator.uniform(0.8, 2)) * np.exp(
        _normed(_cloud_field(generator, 1.6))
    )
    return _spread(np.where(inside, np.minimum(speckle, 3), 0.0))


def _bundled(generator: Generator) -> Grey:
    """A crop of a photograph that comes with scikit-learn (a temple, a flower), sometimes mirrored."""
    photographs = _photographs()
    photograph = photographs[int(generator.integers(len(photographs)))]
    height, width = photograph.shape[:2]
    side = int(generator.uniform(0.35, 1) * height)
    top, left = (int(generator.integers(0, most - side + 1)) for most in (height, width))
    crop = cv2.cvtColor(photograph[top : top + side, left : left + side], cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(crop[:, ::-1] if generator.random() < 0.5 else crop).astype(np.uint8)


@cache
def _photographs() -> list[NDArray[np.uint8]]:
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


KINDS: dict[str, Callable[[Generator], Grey]] = {
    "blank": _blank,
    "noise": _noise,
    "gradient": _gradient,
    "1/f texture": _clouds,
    "dead leaves": _dead_leaves,
    "made scene": _scene,
    "text page": _text,
    "chart": _chart,
    "drawing": _drawing,
    "pattern": _pattern,
    "limb film": _limb,
    "ultrasound": _ultrasound,
    "photograph": _bundled,
}
