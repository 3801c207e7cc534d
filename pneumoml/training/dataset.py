"""Folders of labelled films: reading them, patients and subtypes from file names, the patient-level split."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pneumoml.decoding.images import ImageRefused, decode_film

CLASSES = ("NORMAL", "PNEUMONIA")
SUFFIXES = (".jpeg", ".jpg", ".png")
SPLIT_FILE = "split.csv"
SPLIT_FIELDS = ("file", "label", "subtype", "patient", "split")
_PERSON = re.compile(r"(person\d+)_(bacteria|virus)_\d+", re.IGNORECASE)
_NORMAL = re.compile(r"(?:NORMAL2-)?(IM-\d+)", re.IGNORECASE)


class DatasetRefused(ValueError):  # noqa: N818 - the name says what happened
    """A folder of films that cannot be used: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class LabelledFilm:
    """One film of a data set: where it lies, its class (0 NORMAL, 1 PNEUMONIA), subtype, patient, split."""

    path: Path
    label: int
    subtype: str
    patient: str
    split: str = ""


def film_of(path: Path, label: int) -> LabelledFilm:
    """Describe one film by its file name, as Kermany et al. name theirs.

    `NORMAL2-IM-0383-0001` and `IM-0383-0001` count as one patient: whether they are is not documented, and
    for a split the careful answer is yes. A name of another kind is a patient of its own.
    """
    if match := _PERSON.match(path.stem):
        return LabelledFilm(path, label, match[2].lower(), match[1].lower())
    subtype = "normal" if label == 0 else "unknown"
    if match := _NORMAL.match(path.stem):
        return LabelledFilm(path, label, subtype, match[1].upper())
    return LabelledFilm(path, label, subtype, path.stem)


def scan_folder(folder: Path) -> list[LabelledFilm]:
    """List the films in `folder`/NORMAL and `folder`/PNEUMONIA, sorted by class and name.

    Raises `DatasetRefused` (folder_missing, class_folder_missing, class_empty).
    """
    if not folder.is_dir():
        raise DatasetRefused("folder_missing", f"There is no folder {folder}.")
    films: list[LabelledFilm] = []
    for label, name in enumerate(CLASSES):
        if not (folder / name).is_dir():
            raise DatasetRefused(
                "class_folder_missing",
                f"{folder} holds no folder “{name}”. It needs one folder NORMAL and one folder PNEUMONIA.",
            )
        found = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise DatasetRefused(
                "class_empty", f"{folder / name} holds no JPEG or PNG films. Both classes need some."
            )
        films.extend(film_of(path, label) for path in found)
    return films


def load_pixels(film: LabelledFilm) -> NDArray[np.uint8]:
    """Decode one film to grey, uint8 (H, W). Raises `DatasetRefused` (film_unreadable)."""
    try:
        return decode_film(film.path.read_bytes()).pixels
    except (OSError, ImageRefused) as error:
        raise DatasetRefused("film_unreadable", f"{film.path} cannot be read as a film: {error}") from error


def split_by_patient(
    films: Sequence[LabelledFilm], *, validation_share: float = 0.12, seed: int = 42
) -> list[LabelledFilm]:
    """Give every film "train" or "val", all films of a patient together, each class by the same share."""
    generator = np.random.default_rng(seed)
    validation: set[str] = set()
    for label in range(len(CLASSES)):
        of_class = [film for film in films if film.label == label]
        patients = sorted({film.patient for film in of_class})
        chosen: set[str] = set()
        wanted = validation_share * len(of_class)
        for patient in generator.permutation(patients).tolist():
            if sum(film.patient in chosen for film in of_class) >= wanted:
                break
            chosen.add(patient)
        validation |= chosen
    return [replace(film, split="val" if film.patient in validation else "train") for film in films]


def write_split(films: Iterable[LabelledFilm], folder: Path) -> Path:
    """Write `folder`/split.csv, one row a film, paths relative to the folder, in POSIX form."""
    path = folder / SPLIT_FILE
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(SPLIT_FIELDS)
        for film in films:
            relative = film.path.relative_to(folder).as_posix()
            writer.writerow((relative, CLASSES[film.label], film.subtype, film.patient, film.split))
    return path


def read_split(folder: Path) -> list[LabelledFilm]:
    """Read `folder`/split.csv. Films are not opened, only looked for.

    Raises `DatasetRefused` (split_missing, split_invalid, film_missing, class_empty).
    """
    path = folder / SPLIT_FILE
    if not path.is_file():
        raise DatasetRefused(
            "split_missing", f"{folder} holds no {SPLIT_FILE}. Run download_dataset --from {folder} first."
        )
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != SPLIT_FIELDS:
            raise DatasetRefused("split_invalid", f"{path} must have the columns {', '.join(SPLIT_FIELDS)}.")
        films = [_film_of_row(row, folder, number) for number, row in enumerate(reader, start=2)]
    for split in ("train", "val"):
        if {film.label for film in films if film.split == split} != {0, 1}:
            raise DatasetRefused("class_empty", f"{path} needs films of both classes in “{split}”.")
    return films


def _film_of_row(row: dict[str, str], folder: Path, number: int) -> LabelledFilm:
    relative = Path(row["file"] or "")
    if row["label"] not in CLASSES or row["split"] not in {"train", "val"} or ".." in relative.parts:
        raise DatasetRefused("split_invalid", f"Row {number} of {SPLIT_FILE} is not usable.")
    path = folder / relative
    if relative.is_absolute() or not path.is_file():
        raise DatasetRefused("film_missing", f"Row {number} of {SPLIT_FILE} names a film that is not there.")
    return LabelledFilm(path, CLASSES.index(row["label"]), row["subtype"], row["patient"], row["split"])
