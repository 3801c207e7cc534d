"""The scope reference of one model version: fitted to training films, measured on films and pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pneumoml.cards.artifact import Artifact, add_to_card
from pneumoml.evaluation.counterexamples import KINDS, pictures, turned
from pneumoml.imaging.preprocess import PreprocessConfig, seen_area, shrink
from pneumoml.network.predictor import Predictor
from pneumoml.scope.gate import Floats, ScopeReference, fields_of, fit_reference, part_seen
from pneumoml.statistics.metrics import flag_rate
from pneumoml.training.dataset import LabelledFilm, load_pixels
from pneumoml.training.progress import Report, told

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Sizes:
    """Training films for layout and for features, validation films (None: all), turned ones, pictures."""

    layout: int = 1500
    features: int = 400
    validation: int | None = None
    turned: int = 40
    pictures_each: int = 39  # of thirteen kinds: 507 in all


METHOD = (
    "Layout (24 by 24 fields) and pooled features: distance in principal components and in what they leave "
    "over; posture: ridge regression on training films and their turned and inverted copies. Two thirds of "
    "the training films used are the reference, one third, other patients, sets the limits. Neither was "
    "fitted to the validation films or to the pictures below; the margin of the features was set after a "
    "trial run that had 63 of the validation films in it."
)
MISSING = (
    "Not measured, for want of films: lateral films, adults, other scanners, films turned by less than 90°. "
    "Films mirrored left to right are mostly not recognised."
)


def scope_entry(
    artifact: Artifact,
    films: Sequence[LabelledFilm],
    sizes: Sizes | None = None,
    *,
    seed: int = 0,
    progress: Report | None = None,
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Fit the version's scope reference and measure it: the card's "scope" entry, and the arrays of its file.

    `films` have a split; "train" is fitted to, "val" is measured. Raises `DatasetRefused` (film_unreadable),
    `ArtifactRefused`, and `ValueError` for fewer than 30 training films.
    """
    sizes = sizes or Sizes()
    predictor = Predictor.load(artifact)
    reference = fit_scope(predictor, films, sizes, seed=seed, progress=progress)
    measured = measure_scope(predictor.with_scope(reference), films, sizes, progress=progress)
    entry = {
        "method": METHOD,
        "missing": MISSING,
        "limits": dict(reference.limits),
        "measured": measured,
    }
    return entry, reference.arrays()


def write_scope(artifact: Artifact, entry: Mapping[str, Any], arrays: Mapping[str, Floats]) -> Artifact:
    """Put what `scope_entry` gave into the version's card and beside its weights."""
    return add_to_card(artifact, {"scope": dict(entry)}, arrays)


def fit_scope(
    predictor: Predictor,
    films: Sequence[LabelledFilm],
    sizes: Sizes,
    *,
    seed: int = 0,
    progress: Report | None = None,
) -> ScopeReference:
    """Fit to training films, chosen by `seed`, ordered by patient so that reference and limits share none."""
    chosen = _by_patient([film for film in films if film.split == "train"], seed)
    config = PreprocessConfig.from_card(predictor.card.preprocessing)
    fields = [
        fields_of(part_seen(small, seen_area(small, config)))
        for film in told(chosen[: sizes.layout], "layout", progress)
        for small in (shrink(load_pixels(film), config),)
    ]
    step = max(1, len(chosen) // sizes.features)
    pooled = [
        predictor.explain(load_pixels(film)).pooled for film in told(chosen[::step], "features", progress)
    ]
    return fit_reference(np.stack(fields), np.stack(pooled))


def _by_patient(films: Sequence[LabelledFilm], seed: int) -> list[LabelledFilm]:
    generator = np.random.default_rng(seed)
    patients = sorted({film.patient for film in films})
    place = {
        patient: int(number)
        for patient, number in zip(patients, generator.permutation(len(patients)), strict=True)
    }
    return sorted(films, key=lambda film: place[film.patient])


def measure_scope(
    predictor: Predictor, films: Sequence[LabelledFilm], sizes: Sizes, *, progress: Report | None = None
) -> dict[str, Any]:
    """Count flags: on validation films, on the same inverted or turned, and on pictures that are no films.

    Pictures are judged as grey ones: that a photograph is coloured would give it away.
    """
    validation = [film for film in films if film.split == "val"]
    validation = validation[:: max(1, len(validation) // (sizes.validation or len(validation)))]
    rates = {"validation films": _rate(predictor, map(load_pixels, told(validation, "validation", progress)))}
    copies: dict[str, list[Grey]] = {}
    for film in validation[:: max(1, len(validation) // sizes.turned)][: sizes.turned]:
        for kind, pixels in turned(load_pixels(film)).items():
            copies.setdefault(kind, []).append(pixels)
    for kind, changed in copies.items():
        rates[f"validation films, {kind}"] = _rate(predictor, told(changed, kind, progress))
    made: dict[str, list[Grey]] = {}
    for picture in pictures(sizes.pictures_each):
        made.setdefault(picture.kind, []).append(picture.pixels)
    for kind in KINDS:
        rates[f"no film: {kind}"] = _rate(predictor, told(made[kind], kind, progress))
    of_pictures = [rates[f"no film: {kind}"] for kind in KINDS]
    flagged, n = (sum(int(rate[name]) for rate in of_pictures) for name in ("flagged", "n"))
    rates["no film: all"] = _row(flagged, n, Counter())
    return rates


def _rate(predictor: Predictor, films: Iterable[Grey]) -> dict[str, Any]:
    codes: Counter[str] = Counter()
    flagged = n = 0
    for pixels in films:
        flags = predictor.predict(pixels).scope_flags or ()
        flagged, n = flagged + bool(flags), n + 1
        codes.update(flags)
    return _row(flagged, n, codes)


def _row(flagged: int, n: int, codes: Counter[str]) -> dict[str, Any]:
    row = flag_rate(flagged, n)
    return {**row, "codes": dict(sorted(codes.items()))} if codes else row
