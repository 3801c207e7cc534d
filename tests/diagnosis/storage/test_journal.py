"""Files of a killed upload are removed after a while; those with a row or without an entry stay."""

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction

from core.errors import StorageFull
from diagnosis.inference.reconcile import reconcile
from diagnosis.intake import submission
from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Study
from diagnosis.storage import journal
from tests.diagnosis.storage.killed import upload_killed_before_its_rows
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png

pytestmark = pytest.mark.usefixtures("active_model")


def entries() -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    return list(folder.iterdir()) if folder.exists() else []


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def make_entries_old() -> None:
    long_ago = time.time() - settings.INCOMING_FORGOTTEN_AFTER_SECONDS - 1
    for path in entries():
        os.utime(path, (long_ago, long_ago))


@pytest.fixture
def cut_off(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload whose process was killed between the files and the rows."""
    upload_killed_before_its_rows(cast, monkeypatch)
    assert len(files()) == 3


def test_a_stored_film_leaves_no_entry(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert entries() == []


def test_an_entry_stays_until_the_outermost_transaction_is_committed(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    with transaction.atomic():
        submit_study(actor=cast.alice, project=cast.project, data=chest_png())
        assert len(entries()) == 1
    assert entries() == []


def test_files_of_a_cut_off_upload_are_removed_after_a_while(cut_off: None) -> None:
    reconcile()
    assert len(files()) == 3
    make_entries_old()
    reconcile()
    assert files() == []
    assert entries() == []


def test_a_film_with_a_row_keeps_its_files_and_loses_its_entry(cast: Cast) -> None:
    study = submit_study(actor=cast.alice, project=cast.project, data=chest_png()).study
    assert [path.name for path in entries()] == [str(study.uid)]  # the test's transaction is still open
    make_entries_old()
    assert journal.remove_leftovers() == 0
    assert len(files()) == 3
    assert entries() == []


def test_files_without_an_entry_are_never_touched(cast: Cast) -> None:
    film = Path(settings.MEDIA_ROOT) / "studies/ab/11111111-2222-3333-4444-555555555555/original.png"
    film.parent.mkdir(parents=True)
    film.write_bytes(b"of an installation whose database was restored")
    long_ago = time.time() - 1_000_000
    os.utime(film, (long_ago, long_ago))
    reconcile()
    assert files() == [film]


def test_the_entry_stays_where_the_database_does_not_say_whether_the_row_is_stored(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(submission, "_store_rows", unknown)
        patch.setattr(Study.objects, "filter", unknown)
        patch.setattr(submission, "_already_here", lambda project, film: None)
        with pytest.raises(DatabaseError):
            submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert len(entries()) == 1
    make_entries_old()
    assert journal.remove_leftovers() == 1
    assert files() == []


def test_a_foreign_folder_among_the_entries_stops_nothing(cut_off: None) -> None:
    (Path(settings.MEDIA_ROOT) / "incoming" / "lost+found").mkdir()
    make_entries_old()
    assert journal.remove_leftovers() == 1


def test_a_failure_while_writing_removes_files_and_entry(cast: Cast) -> None:
    study = Study(project=cast.project, uploaded_by=cast.alice)

    def fail_after_the_first_file() -> None:
        with journal.writing(study):
            assert journal.pending() == {study.uid}
            study.original.save("original", ContentFile(b"film"), save=False)
            raise ValueError("from the test")

    with pytest.raises(ValueError, match="from the test"):
        fail_after_the_first_file()
    assert files() == []
    assert entries() == []


def test_nothing_is_written_without_an_entry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(uid: Any) -> None:
        raise OSError(errno.ENOSPC, "from the test")

    monkeypatch.setattr(journal, "mark_pending", full)
    with pytest.raises(StorageFull):
        submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert files() == []
    assert not Study.objects.exists()
