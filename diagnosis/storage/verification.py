"""Compares rows and files: each film's files exist unchanged, and each file has a row."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.core.files.storage import default_storage

from diagnosis.models import Study
from diagnosis.storage import journal
from diagnosis.storage.filesystem import film_store

_TOP = "studies"
_PIECE = 1024 * 1024


@dataclass
class StorageReport:
    """The stored names of files that are missing or empty, changed, or without a row.

    `films` counts rows, the trash included; `files` their intact files.
    """

    films: int = 0
    files: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    without_row: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether rows and files agree."""
        return not (self.missing or self.changed or self.without_row)


def check_storage(*, checksums: bool = True, progress: Callable[[], None] = lambda: None) -> StorageReport:
    """Compare each film's row with its files, and each file with the rows; call `progress` for each film.

    `checksums` False only checks that the files exist. Uploads may go on meanwhile: pending ones are no
    fault, and files are listed before rows are read.
    """
    report = StorageReport()
    stored, pending = film_store().names_below(_TOP), journal.pending()
    named: set[str] = set()
    rows = Study.objects.order_by("pk").values_list("sha256", "original", "display", "thumbnail")
    for sha256, *names in rows.iterator(chunk_size=500):
        report.films += 1
        for name, expected in zip(names, (sha256 if checksums else None, None, None), strict=True):
            _check_file(report, name, expected)
        named.update(names)
        progress()
    report.without_row = sorted(name for name in stored - named if _study_of(name) not in pending)
    return report


def _check_file(report: StorageReport, name: str, sha256: str | None) -> None:
    """Record the file as missing, changed (`sha256` None: not compared) or intact."""
    try:
        if not default_storage.size(name):
            raise FileNotFoundError
        same = sha256 is None or _sha256(name) == sha256
    except FileNotFoundError:
        report.missing.append(name)
        return
    if same:
        report.files += 1
    else:
        report.changed.append(name)


def _sha256(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _study_of(name: str) -> UUID | None:
    return journal.uid_from(name.split("/")[-2])
