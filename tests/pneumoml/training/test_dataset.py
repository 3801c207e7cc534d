"""Folders of films: what is read, what is refused, and a split that keeps patients together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pneumoml.training.dataset import (
    DatasetRefused,
    film_of,
    load_pixels,
    read_split,
    scan_folder,
    split_by_patient,
    write_split,
)
from tests.support.inputs import films
from tests.support.inputs.labelled import make_folder


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(DatasetRefused) as caught:
        action()
    assert caught.value.message.endswith((".", "…")) or "." in caught.value.message
    return caught.value.code


def test_films_are_listed_with_label_subtype_and_patient(tmp_path: Path) -> None:
    found = scan_folder(make_folder(tmp_path, normal=2, pneumonia=2))
    assert [film.label for film in found] == [0, 0, 1, 1]
    assert {film.subtype for film in found} == {"normal", "bacteria", "virus"}
    assert load_pixels(found[0]).ndim == 2


@pytest.mark.parametrize(
    ("name", "label", "subtype", "patient"),
    [
        ("person63_bacteria_306.jpeg", 1, "bacteria", "person63"),
        ("person1049_virus_1746.jpeg", 1, "virus", "person1049"),
        ("IM-0539-0001-0001.jpeg", 0, "normal", "IM-0539"),
        ("NORMAL2-IM-0539-0001.jpeg", 0, "normal", "IM-0539"),
        ("mine.png", 1, "unknown", "mine"),
    ],
)
def test_file_names_give_subtype_and_patient(name: str, label: int, subtype: str, patient: str) -> None:
    film = film_of(Path(name), label)
    assert (film.subtype, film.patient) == (subtype, patient)


def test_missing_folders_and_classes_have_their_sentence(tmp_path: Path) -> None:
    assert code_of(lambda: scan_folder(tmp_path / "nowhere")) == "folder_missing"
    (tmp_path / "NORMAL").mkdir()
    films_of_one = tmp_path / "NORMAL" / "IM-0001-0001.png"
    films_of_one.write_bytes(films.png())
    assert code_of(lambda: scan_folder(tmp_path)) == "class_folder_missing"
    (tmp_path / "PNEUMONIA").mkdir()
    assert code_of(lambda: scan_folder(tmp_path)) == "class_empty"


def test_unreadable_film_is_named(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=1, pneumonia=1)
    film = scan_folder(folder)[0]
    film.path.write_bytes(b"not a picture")
    with pytest.raises(DatasetRefused, match=film.path.name) as caught:
        load_pixels(film)
    assert caught.value.code == "film_unreadable"


def test_split_keeps_patients_together_and_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    found = scan_folder(make_folder(tmp_path, normal=20, pneumonia=30))
    split = split_by_patient(found, validation_share=0.3, seed=5)
    in_training = {film.patient for film in split if film.split == "train"}
    in_validation = {film.patient for film in split if film.split == "val"}
    assert in_validation
    assert not in_training & in_validation
    assert split == split_by_patient(found, validation_share=0.3, seed=5)
    assert split != split_by_patient(found, validation_share=0.3, seed=6)


def test_split_is_written_and_read_back(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=6, pneumonia=6)
    split = split_by_patient(scan_folder(folder), validation_share=0.3)
    write_split(split, folder)
    assert read_split(folder) == split


def test_unusable_split_files_have_their_sentence(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=2, pneumonia=2)
    path = folder / "split.csv"
    header = "file,label,subtype,patient,split\n"
    assert code_of(lambda: read_split(folder)) == "split_missing"
    for text, code in (
        ("file,label\n", "split_invalid"),
        (header + "NORMAL/x.png,MAYBE,normal,a,train\n", "split_invalid"),
        (header + "../NORMAL/x.png,NORMAL,normal,a,train\n", "split_invalid"),
        (header + "NORMAL/gone.png,NORMAL,normal,a,train\n", "film_missing"),
        (header, "class_empty"),
    ):
        path.write_text(text, "utf-8")
        assert code_of(lambda: read_split(folder)) == code
