"""Shift tests change films, always alike, and the worst ones by class; shortcuts are measured and matched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pneumoml.evaluation.data_report import data_report, difference_hash
from pneumoml.evaluation.shift_tests import changes, chosen_films
from pneumoml.statistics.metrics import auc
from pneumoml.training.dataset import LabelledFilm, scan_folder, split_by_patient
from pneumoml.training.shortcuts import STATISTICS, acquisition, matched_indices, reversed_indices
from tests.support.inputs import films
from tests.support.inputs.labelled import make_folder

NORMAL = LabelledFilm(Path("IM-0001-0001.png"), 0, "normal", "IM-0001")
SICK = LabelledFilm(Path("person1_virus_1.png"), 1, "virus", "person1")


@pytest.mark.parametrize("name", [name for name in changes() if name != "clean"])
@pytest.mark.parametrize("shape", [(224, 224), (300, 360)])
def test_each_change_changes_the_film_always_alike(name: str, shape: tuple[int, int]) -> None:
    film, change = films.chest_like(*shape), changes()[name]
    changed = change(film, SICK)
    assert changed.shape == film.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, film)
    assert np.array_equal(changed, change(film, SICK))


def test_clean_films_stay_as_they_are() -> None:
    film = films.chest_like()
    assert np.array_equal(changes()["clean"](film, SICK), film)


def test_swapping_cameras_softens_normal_films_and_sharpens_the_others() -> None:
    film, swap = films.chest_like(224, 224), changes()["swapped camera"]
    sharpness = [acquisition(pixels)[0] for pixels in (swap(film, NORMAL), film, swap(film, SICK))]
    assert sharpness[0] < sharpness[1] < sharpness[2]


def test_at_most_so_many_films_of_either_class_are_chosen(tmp_path: Path) -> None:
    found = scan_folder(make_folder(tmp_path, normal=5, pneumonia=9))
    chosen = chosen_films(found, 4, 1)
    assert [sum(film.label == label for film in chosen) for label in (0, 1)] == [4, 4]
    assert chosen == chosen_films(found, 4, 1)


def test_acquisition_is_described_by_its_named_numbers() -> None:
    described = acquisition(films.chest_like(300, 360))
    assert described.shape == (len(STATISTICS),)
    assert described[STATISTICS.index("log_aspect")] == pytest.approx(np.log(1.2))


def test_matching_makes_acquisition_useless_and_reversing_makes_it_misleading() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([0.0, 1.0], 400)
    scores = generator.normal(labels * 1.5, 1.0)
    matched, reverse = matched_indices(scores, labels), reversed_indices(scores, labels)
    assert auc(labels, scores) > 0.8
    assert auc(labels[matched], scores[matched]) == pytest.approx(0.5, abs=0.06)
    assert auc(labels[reverse], scores[reverse]) < 0.4


def test_data_report_counts_films_and_duplicates(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=12, pneumonia=12)
    twin = folder / "NORMAL" / "IM-0900-0001.png"
    twin.write_bytes((folder / "NORMAL" / "IM-0003-0001.png").read_bytes())
    report = data_report(split_by_patient(scan_folder(folder), validation_share=0.3))
    assert sum(count for split in report["films"].values() for count in split.values()) == 25
    assert report["exact_duplicates"] == 1
    assert report["patients_in_both_splits"] == 0
    assert 0 <= report["metadata_only_auc"] <= 1


def test_near_copies_hash_alike_and_others_do_not() -> None:
    film = films.chest_like(224, 224)
    brighter = np.clip(film.astype(int) + 5, 0, 255).astype(np.uint8)
    assert (difference_hash(film) ^ difference_hash(brighter)).bit_count() <= 2
    other = np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8)
    assert (difference_hash(film) ^ difference_hash(other)).bit_count() > 8
