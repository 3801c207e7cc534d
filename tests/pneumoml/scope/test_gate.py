"""The scope gate on made films: what is flagged, by which code, and what is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.evaluation.counterexamples import KINDS, pictures, turned
from pneumoml.scope.gate import SENTENCES, ScopeReference, check, declared, fields_of, fit_reference
from tests.support.inputs import films

Grey = NDArray[np.uint8]
TYPICAL = np.zeros(16, np.float32)


def film(seed: int) -> Grey:
    """A chest-like film of 224 by 224, each a little shifted and of its own contrast."""
    generator = np.random.default_rng(seed)
    pixels = films.chest_like(240, 250, seed=seed)
    top, left = (int(value) for value in generator.integers(0, 16, 2))
    cut = cv2.resize(pixels[top : top + 224, left : left + 234], (224, 224))
    lit = cut * generator.uniform(0.8, 1.1) + generator.uniform(-10, 10)
    return np.asarray(np.clip(lit, 0, 255), dtype=np.uint8)


@pytest.fixture(scope="module")
def reference() -> ScopeReference:
    fields = np.stack([fields_of(film(seed)) for seed in range(240)])
    pooled = np.random.default_rng(1).normal(size=(240, 16)).astype(np.float32)
    return fit_reference(fields, pooled)


def flags(pixels: Grey, reference: ScopeReference | None, **more: float) -> tuple[str, ...] | None:
    return check(pixels, TYPICAL, colour_fraction=more.get("colour", 0.0), reference=reference)


def test_hardly_any_film_like_the_training_films_is_flagged(reference: ScopeReference) -> None:
    found = [flags(film(seed), reference) for seed in range(1000, 1100)]
    assert sum(bool(codes) for codes in found) <= 5
    assert () in found


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("inverted", "inverted"),
        ("turned by 90°", "turned"),
        ("turned by 180°", "turned"),
        ("turned by 270°", "turned"),
        ("upside down, mirrored", "turned"),
    ],
)
def test_a_film_in_another_posture_is_named(reference: ScopeReference, change: str, code: str) -> None:
    found = [flags(turned(film(seed))[change], reference) for seed in range(1000, 1020)]
    assert sum(codes == (code,) for codes in found) >= 18


def test_pictures_of_every_kind_are_flagged(reference: ScopeReference) -> None:
    found: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for picture in pictures(4):
        found[picture.kind].append(
            bool(flags(np.asarray(cv2.resize(picture.pixels, (224, 224)), dtype=np.uint8), reference))
        )
    assert np.mean([flagged for kind in found.values() for flagged in kind]) >= 0.95
    assert all(any(kind) for kind in found.values())


def test_features_far_from_the_training_films_are_flagged(reference: ScopeReference) -> None:
    near = check(film(1000), TYPICAL, colour_fraction=0, reference=reference)
    far = check(film(1000), TYPICAL + 20, colour_fraction=0, reference=reference)
    assert (near, far) == ((), ("unlike_training",))


def test_colour_is_flagged_beside_whatever_else_is_found(reference: ScopeReference) -> None:
    assert flags(film(1000), reference, colour=0.5) == ("colour",)
    assert flags(255 - film(1000), reference, colour=0.5) == ("colour", "inverted")
    assert flags(film(1000), reference, colour=0.01) == ()


def test_a_nearly_blank_picture_is_called_that_and_nothing_else(reference: ScopeReference) -> None:
    grey = np.full((224, 224), 90, np.uint8)
    grey[100:104, 100:104] = 120
    assert flags(grey, reference) == ("blank",)


def test_without_a_reference_only_colour_and_blankness_are_seen() -> None:
    assert flags(film(1), None) is None
    assert flags(film(1), None, colour=0.4) == ("colour",)
    assert flags(np.zeros((224, 224), np.uint8), None) == ("blank",)


@pytest.mark.parametrize(
    ("view", "age", "codes"),
    [
        ("PA", 3, ()),
        ("", None, ()),
        ("LL", 3, ("lateral",)),
        ("RLD", 40, ("lateral", "age")),
        ("AP", 0, ("age",)),
    ],
)
def test_what_the_file_says_of_itself_counts(view: str, age: int | None, codes: tuple[str, ...]) -> None:
    assert declared(view_position=view, age_years=age) == codes


def test_a_stored_reference_judges_as_before(reference: ScopeReference) -> None:
    again = ScopeReference.from_arrays(reference.arrays(), reference.limits)
    for pixels in (film(1000), 255 - film(1000), np.ascontiguousarray(film(7).T)):
        assert flags(pixels, again) == flags(pixels, reference)
    assert sum(array.nbytes for array in reference.arrays().values()) < 300_000


@pytest.mark.parametrize("missing", ["layout/mean", "features/axes", "posture/weights"])
def test_an_incomplete_reference_is_refused(reference: ScopeReference, missing: str) -> None:
    arrays = {name: array for name, array in reference.arrays().items() if name != missing}
    with pytest.raises(ValueError, match=missing):
        ScopeReference.from_arrays(arrays, reference.limits)


def test_a_reference_without_limits_or_of_another_size_is_refused(reference: ScopeReference) -> None:
    with pytest.raises(ValueError, match="posture"):
        ScopeReference.from_arrays(reference.arrays(), {"layout": 1.0, "features": 1.0})
    with pytest.raises(ValueError, match="fit together"):
        ScopeReference.from_arrays({**reference.arrays(), "layout/mean": np.zeros(9)}, reference.limits)


def test_too_few_films_give_no_reference() -> None:
    with pytest.raises(ValueError, match="30"):
        fit_reference(np.zeros((29, 24, 24), np.float32), np.zeros((40, 8), np.float32))


def test_every_code_has_a_sentence(reference: ScopeReference) -> None:
    shown = {code for picture in pictures(1) for code in flags(picture.pixels, reference) or ()}
    assert shown <= set(SENTENCES)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
