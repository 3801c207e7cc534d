"""What tells the classes apart without anatomy: acquisition statistics, a baseline, matched films."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pneumoml.imaging.preprocess import recompress, squash
from pneumoml.statistics.metrics import Floats, auc
from pneumoml.training.dataset import LabelledFilm, load_pixels

STATISTICS = (
    "log_sharpness",
    "contrast",
    "brightness",
    "border",
    "compressibility",
    "fine_detail",
    "log_aspect",
)
_SIDE = 224


def acquisition(pixels: NDArray[np.uint8]) -> Floats:
    """Measure the statistics named in `STATISTICS` of one film, (7,): none looks at what it shows."""
    grey = squash(pixels, _SIDE).astype(np.float32)
    edge = _SIDE // 20
    border = np.concatenate(
        [grey[:edge].ravel(), grey[-edge:].ravel(), grey[:, :edge].ravel(), grey[:, -edge:].ravel()]
    )
    _, packed = cv2.imencode(".jpg", grey.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    smooth = recompress(grey.astype(np.uint8), 40).astype(np.float32)
    return np.array(
        [
            np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var()),
            grey.std(),
            grey.mean(),
            border.mean(),
            len(packed) / grey.size,
            np.log1p(np.abs(grey - smooth).mean()),
            np.log(pixels.shape[1] / pixels.shape[0]),
        ],
        dtype=np.float64,
    )


class MetadataBaseline:
    """Logistic regression on acquisition statistics alone: what a reader would score who saw no chest."""

    def __init__(self, films: Sequence[LabelledFilm]) -> None:
        """Fit to training films."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
        )
        self._model.fit(_table(films), [film.label for film in films])

    def scores(self, films: Sequence[LabelledFilm]) -> Floats:
        """Log-odds of pneumonia by acquisition alone, (n,)."""
        return np.asarray(self._model.decision_function(_table(films)), dtype=np.float64)


def _table(films: Sequence[LabelledFilm]) -> Floats:
    return np.stack([acquisition(load_pixels(film)) for film in films])


def metadata_auc(scores: Floats, films: Sequence[LabelledFilm]) -> float:
    """AUC of the baseline's scores on these films."""
    return auc(np.array([film.label for film in films], dtype=np.float64), scores)


def matched_indices(scores: Floats, labels: Floats, caliper: float = 0.25) -> NDArray[np.intp]:
    """Pair films of the two classes that acquisition cannot tell apart; return the indices of all.

    Greedy nearest-neighbour matching without replacement on the baseline's log-odds, within `caliper`
    standard deviations of them (Austin 2011).
    """
    width = caliper * float(scores.std())
    normal, free = np.flatnonzero(labels == 0), set(np.flatnonzero(labels == 1).tolist())
    chosen: list[int] = []
    for index in normal[np.argsort(-scores[normal])]:
        if not free:
            break
        nearest = min(free, key=lambda other: abs(scores[other] - scores[index]))
        if abs(scores[nearest] - scores[index]) <= width:
            free.remove(nearest)
            chosen.extend((int(index), nearest))
    return np.array(sorted(chosen), dtype=np.intp)


def reversed_indices(scores: Floats, labels: Floats, quantile: float = 0.3) -> NDArray[np.intp]:
    """The worst subgroup: films whose acquisition looks like the other class, `quantile` of each class."""
    normal, sick = scores[labels == 0], scores[labels == 1]
    soft_normal = (labels == 0) & (scores >= np.quantile(normal, 1 - quantile))
    sharp_sick = (labels == 1) & (scores <= np.quantile(sick, quantile))
    return np.flatnonzero(soft_normal | sharp_sick)
