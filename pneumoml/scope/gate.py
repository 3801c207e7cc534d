"""The scope gate: whether a film is one that a model version can judge, and in which way it is not.

A film is compared with training films in three ways. Its layout: grey in 24 by 24 fields, whose distance is
taken in the principal components (Mahalanobis 1936) and in what they leave over. Its posture: a linear
classifier on the same fields, fitted to training films and to the same films inverted, turned and mirrored
upside down. Its features: what the network itself pools before its dense layers (as Lee et al. 2018 do, with
principal components in place of classes). A flag never changes a score; it says that the score means little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

# What is shown to people. The codes are stored, the sentences may change.
SENTENCES = {
    "lateral": "The file names a lateral view. The model was trained on frontal films only.",
    "age": "The file gives an age outside one to five years, that of the children the model was trained on.",
    "colour": "The file is a colour picture. A chest film is grey.",
    "blank": "The picture is nearly blank.",
    "not_a_chest_film": "The picture does not look like a frontal chest film.",
    "inverted": "The film looks like a negative: light and dark seem to be swapped.",
    "turned": "The film seems to be turned or upside down.",
    "unlike_training": "The film is unlike those the model was trained on (frontal films of children aged "
    "one to five years, from one centre): an adult, a lateral film or another scanner, for example.",
}
AGES = range(1, 6)  # full years
COLOUR_LIMIT = 0.05  # share of clearly coloured pixels; the tint of a photographed film stays below it
BLANK_LIMIT = 6.0  # standard deviation of grey, of 0–255
CLEARLY_FAR = 1.5  # times the limit of the layout: beyond it, no chest film

_FIELDS = 24
_COMPONENTS = {"layout": 20, "features": 24}
# Share of the calibration films that may lie beyond each limit.
_TAILS = {"layout": 0.004, "posture": 0.002, "features": 0.004}
_FEW_FILMS = 1.25  # few films set the limit of the features, the passes being costly: a quarter more
_RIDGE = 300.0
_LEAST_SPREAD = 3.0
LIMITS = tuple(_TAILS)

# Each posture, upright first, and what brings a film in it upright again.
_UNDO: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "upright": lambda fields: fields,
    "inverted": lambda fields: -fields,
    "turned by 90°": lambda fields: np.rot90(fields, -1),
    "turned by 180°": lambda fields: np.rot90(fields, 2),
    "turned by 270°": lambda fields: np.rot90(fields, 1),
    "upside down": lambda fields: fields[::-1],
}
_REDO = {**_UNDO, "turned by 90°": _UNDO["turned by 270°"], "turned by 270°": _UNDO["turned by 90°"]}


@dataclass(frozen=True, eq=False)
class Space:
    """Where training films lie: mean (d,), principal axes (k, d), spread along them (k,), typical (2,).

    `typical` holds the median distance along the axes and the median remainder, so that both count alike.
    """

    mean: Floats
    axes: Floats
    spread: Floats
    typical: Floats

    @classmethod
    def fitted(cls, points: Floats, components: int) -> Space:
        """Fit to points (n, d), keeping at most `components` axes."""
        mean = points.mean(axis=0)
        _, lengths, axes = np.linalg.svd(points - mean, full_matrices=False)
        kept = min(components, len(points) // 3, points.shape[1] // 2)
        spread = np.maximum(lengths[:kept] / np.sqrt(len(points)), 1e-6)
        raw = cls(mean, axes[:kept], spread.astype(np.float32), np.ones(2, np.float32))
        typical = [np.median(part) for part in raw._parts(points)]
        return cls(mean, raw.axes, raw.spread, np.maximum(np.array(typical, np.float32), 1e-6))

    def _parts(self, points: Floats) -> tuple[Floats, Floats]:
        offset = points - self.mean
        along = offset @ self.axes.T
        rest = np.sqrt(np.maximum((offset**2).sum(axis=-1) - (along**2).sum(axis=-1), 0))
        return np.sqrt(((along / self.spread) ** 2).mean(axis=-1)), rest

    def distance(self, points: Floats) -> Floats:
        """Distance of points (n, d) or (d,) from the training films: 1 for a typical one."""
        along, rest = self._parts(points)
        return np.asarray((along / self.typical[0] + rest / self.typical[1]) / 2, dtype=np.float32)

    def arrays(self, name: str) -> dict[str, Floats]:
        """The arrays by name, for storing."""
        parts = {"mean": self.mean, "axes": self.axes, "spread": self.spread, "typical": self.typical}
        return {f"{name}/{part}": array for part, array in parts.items()}


@dataclass(frozen=True, eq=False)
class ScopeReference:
    """What one version's films are compared with, and the largest distances that count as in scope."""

    layout: Space
    features: Space
    posture: Floats
    limits: Mapping[str, float]

    def arrays(self) -> dict[str, Floats]:
        """Everything but the limits, float32 by name; `from_arrays` reads it back."""
        spaces = {**self.layout.arrays("layout"), **self.features.arrays("features")}
        return {**spaces, "posture/weights": self.posture}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], limits: Mapping[str, float]) -> ScopeReference:
        """Put a stored reference together. Raises `ValueError` where arrays are missing or do not fit."""
        try:
            layout, features = (
                Space(*(np.asarray(arrays[f"{name}/{part}"], np.float32) for part in Space.__annotations__))
                for name in ("layout", "features")
            )
            posture = np.asarray(arrays["posture/weights"], np.float32)
            wanted = {name: float(limits[name]) for name in LIMITS}
        except (KeyError, TypeError) as error:
            raise ValueError(f"the scope reference has no {error}") from error
        fields = _FIELDS * _FIELDS
        whole = all(
            space.axes.shape == (len(space.spread), len(space.mean)) and space.typical.shape == (2,)
            for space in (layout, features)
        )
        if min(wanted["layout"], wanted["features"]) <= 0 or wanted["posture"] < 0:
            raise ValueError("a limit of the scope reference is not greater than 0")
        if not whole or len(layout.mean) != fields or posture.shape != (fields + 1, len(_UNDO)):
            raise ValueError("the arrays of the scope reference do not fit together")
        return cls(layout, features, posture, wanted)

    def flags(self, small: Grey, pooled: Floats) -> tuple[str, ...]:
        """Return codes of `SENTENCES` for one squashed film, uint8 (h, w), and its pooled features (d,)."""
        fields = fields_of(small)
        far = float(self.layout.distance(fields.ravel())) / self.limits["layout"]
        scores = _with_constant(fields.ravel()) @ self.posture
        posture = list(_UNDO)[int(scores.argmax())]
        if float(scores[1:].max() - scores[0]) > self.limits["posture"] and posture != "upright":
            upright = self.layout.distance(np.ascontiguousarray(_UNDO[posture](fields)).ravel())
            if float(upright) <= self.limits["layout"]:
                return ("inverted",) if posture == "inverted" else ("turned",)
        if far > CLEARLY_FAR:
            return ("not_a_chest_film",)
        unlike = far > 1 or float(self.features.distance(pooled)) > self.limits["features"]
        return ("unlike_training",) if unlike else ()


def check(
    small: Grey, pooled: Floats, *, colour_fraction: float, reference: ScopeReference | None
) -> tuple[str, ...] | None:
    """Return the codes of what puts a film out of scope; empty where nothing does, None where unknown.

    `small` is the squashed film, uint8 (h, w), cut by `part_seen`; `pooled` are the network's features of it
    (d,); `colour_fraction` (0–1) is that of the file before it became grey. Without a reference only colour
    and blankness are seen, so that a film without either was not checked: None.
    """
    colour = ("colour",) if colour_fraction > COLOUR_LIMIT else ()
    if float(small.std()) < BLANK_LIMIT:
        return (*colour, "blank")
    if reference is None:
        return colour or None
    return (*colour, *reference.flags(small, pooled))


def declared(*, view_position: str, age_years: int | None) -> tuple[str, ...]:
    """Codes for what the file itself says: DICOM's View Position, and the age in full years where known."""
    lateral = ("lateral",) if view_position.startswith(("LL", "RL")) else ()
    return (*lateral, "age") if age_years is not None and age_years not in AGES else lateral


def part_seen(small: Grey, area: tuple[float, float, float, float]) -> Grey:
    """Cut a squashed film, uint8 (h, w), to what the network sees: left, top, right, bottom, each 0–1."""
    height, width = small.shape
    left, top, right, bottom = area
    return small[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def fields_of(small: Grey) -> Floats:
    """Mean grey in 24 by 24 fields, brought to mean 0 and standard deviation 1: float32 (24, 24)."""
    fields = cv2.resize(small, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((fields - fields.mean()) / max(float(fields.std()), _LEAST_SPREAD), dtype=np.float32)


def _with_constant(points: Floats) -> Floats:
    return np.concatenate((points, np.ones((*points.shape[:-1], 1), np.float32)), axis=-1)


def fit_reference(fields: Floats, pooled: Floats) -> ScopeReference:
    """Fit to training films: fields (n, 24, 24) of `fields_of`, and pooled features (m, d).

    Two thirds of each are the reference, the last third sets the limits; n and m are at least 30.
    """
    if min(len(fields), len(pooled)) < 30:
        raise ValueError("a scope reference needs at least 30 films")
    flat = fields.reshape(len(fields), -1)
    own, other = 2 * len(fields) // 3, 2 * len(pooled) // 3
    layout = Space.fitted(flat[:own], _COMPONENTS["layout"])
    features = Space.fitted(pooled[:other], _COMPONENTS["features"])
    posture = _fit_posture(fields[:own])
    scores = _with_constant(flat[own:]) @ posture
    found = {
        "layout": layout.distance(flat[own:]),
        "posture": scores[:, 1:].max(axis=1) - scores[:, 0],
        "features": features.distance(pooled[other:]),
    }
    limits = {name: float(np.quantile(values, 1 - _TAILS[name])) for name, values in found.items()}
    limits["posture"] = max(limits["posture"], 0.0)
    limits["features"] *= _FEW_FILMS
    return ScopeReference(layout, features, posture, limits)


def _fit_posture(fields: Floats) -> Floats:
    """Ridge regression of each posture's indicator on the fields: (24 · 24 + 1, postures)."""
    changed = [np.stack([change(film) for film in fields]) for change in _REDO.values()]
    points = _with_constant(np.concatenate(changed).reshape(len(changed) * len(fields), -1))
    wanted = np.repeat(np.eye(len(changed), dtype=np.float32), len(fields), axis=0)
    square = points.T @ points + _RIDGE * np.eye(points.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(square, points.T @ wanted), dtype=np.float32)
