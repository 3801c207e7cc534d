"""The data report: counts, sizes, duplicates across splits, and what acquisition alone tells."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pneumoml.training.dataset import CLASSES, LabelledFilm, load_pixels
from pneumoml.training.shortcuts import MetadataBaseline, metadata_auc

# Films whose 64-bit difference hashes differ in at most this many places count as near duplicates.
NEAR_BITS = 2


def data_report(
    films: Sequence[LabelledFilm], progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Describe a split data set as plain values. Raises `DatasetRefused` (film_unreadable)."""
    digests, hashes, shapes = [], [], []
    for done, film in enumerate(films, start=1):
        pixels = load_pixels(film)
        digests.append(hashlib.sha256(film.path.read_bytes()).hexdigest())
        hashes.append(difference_hash(pixels))
        shapes.append(pixels.shape)
        if progress:
            progress(done, len(films))
    training = [film for film in films if film.split == "train"]
    validation = [film for film in films if film.split == "val"]
    shared = {film.patient for film in training} & {film.patient for film in validation}
    return {
        "films": counts(films),
        "patients": len({film.patient for film in films}),
        "patients_in_both_splits": len(shared),
        "sizes": {
            name: [float(value) for value in np.mean(_of_class(shapes, films, label), axis=0)]
            for label, name in enumerate(CLASSES)
        },
        "exact_duplicates": len(digests) - len(set(digests)),
        "near_duplicates_across_splits": near_duplicates(np.array(hashes, dtype=np.uint64), films),
        "metadata_only_auc": metadata_auc(MetadataBaseline(training).scores(validation), validation),
    }


def counts(films: Sequence[LabelledFilm]) -> dict[str, dict[str, int]]:
    """Films by split and subtype."""
    return {
        split: dict(sorted(Counter(film.subtype for film in films if film.split == split).items()))
        for split in ("train", "val")
    }


def _of_class(
    shapes: Sequence[tuple[int, ...]], films: Sequence[LabelledFilm], label: int
) -> list[tuple[int, ...]]:
    return [shape for shape, film in zip(shapes, films, strict=True) if film.label == label]


def difference_hash(pixels: NDArray[np.uint8]) -> int:
    """64 bits saying where neighbouring cells of a 9×8 thumbnail grow brighter (dHash, Krawetz 2013)."""
    small = cv2.resize(pixels, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int(np.packbits(bits).view(">u8")[0])


def near_duplicates(hashes: NDArray[np.uint64], films: Sequence[LabelledFilm]) -> int:
    """Count the validation films that have a near duplicate among the training films."""
    in_training = np.array([film.split == "train" for film in films])
    training = hashes[in_training]
    return sum(
        bool((np.bitwise_count(training ^ value) <= NEAR_BITS).any()) for value in hashes[~in_training]
    )
