"""What a killed upload leaves behind goes after a while; what has a row or no note stays."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction

from diagnosis.inference.reconcile import reconcile
from diagnosis.intake import submission
from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Study
from diagnosis.storage import journal
from tests.diagnosis.storage.killed import upload_killed_before_its_rows
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png

pytestmark = pytest.mark.usefixtures("active_model")


def notes() -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    return list(folder.iterdir()) if folder.exists() else []


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def let_time_pass() -> None:
    long_ago = time.time() - settings.INCOMING_FORGOTTEN_AFTER_SECONDS - 1
    for path in notes():
        os.utime(path, (long_ago, long_ago))


@pytest.fixture
def cut_off(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload whose process died between the files and the rows."""
    upload_killed_before_its_rows(cast, monkeypatch)
    assert len(files()) == 3


def test_a_film_that_was_taken_in_leaves_no_note(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert notes() == []


def test_a_note_stays_until_the_outermost_transaction_is_through(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    with transaction.atomic():
        submit_study(actor=cast.alice, project=cast.project, data=chest_png())
        assert len(notes()) == 1
    assert notes() == []


def test_what_was_cut_off_is_removed_after_a_while(cut_off: None) -> None:
    reconcile()
    assert len(files()) == 3
    let_time_pass()
    reconcile()
    assert files() == []
    assert notes() == []


def test_a_film_whose_row_is_there_keeps_its_files_and_loses_its_note(cast: Cast) -> None:
    study = submit_study(actor=cast.alice, project=cast.project, data=chest_png()).study
    assert [path.name for path in notes()] == [str(study.uid)]  # the test's transaction is still open
    let_time_pass()
    assert journal.remove_leftovers() == 0
    assert len(files()) == 3
    assert notes() == []


def test_files_without_a_note_are_never_touched(cast: Cast) -> None:
    film = Path(settings.MEDIA_ROOT) / "studies/ab/11111111-2222-3333-4444-555555555555/original.png"
    film.parent.mkdir(parents=True)
    film.write_bytes(b"of an installation whose database was restored")
    long_ago = time.time() - 1_000_000
    os.utime(film, (long_ago, long_ago))
    reconcile()
    assert files() == [film]


def test_where_nobody_knows_whether_the_row_is_stored_the_note_stays(
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
    assert len(notes()) == 1
    let_time_pass()
    assert journal.remove_leftovers() == 1
    assert files() == []


def test_a_foreign_folder_among_the_notes_stops_nothing(cut_off: None) -> None:
    (Path(settings.MEDIA_ROOT) / "incoming" / "lost+found").mkdir()
    let_time_pass()
    assert journal.remove_leftovers() == 1
