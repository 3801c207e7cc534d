"""submit_study: film, rows and audit event are stored together or not at all, each film once in a project."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import FilmRefused, NotAllowed, NotReady, Refused, StorageFull
from core.http_status import status_of
from diagnosis.inference import dispatch
from diagnosis.intake import submission
from diagnosis.intake.submission import Submission, submit_study
from diagnosis.models import ModelVersion, Prediction, Project, Study
from diagnosis.studies.trash import move_to_trash
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png, jpeg

pytestmark = pytest.mark.usefixtures("active_model")


def submit(cast: Cast, seed: int = 0, **changes: Any) -> Submission:
    arguments: dict[str, Any] = {
        "actor": cast.alice,
        "project": cast.project,
        "data": chest_png(seed=seed),
    }
    return submit_study(**(arguments | changes))


def stored_files() -> list[str]:
    top = Path(settings.MEDIA_ROOT)
    return sorted(path.name for path in top.rglob("*") if path.is_file())


def assert_nothing_is_stored() -> None:
    assert stored_files() == []
    assert not Study.objects.exists()
    assert not Prediction.objects.exists()
    assert not AuditEvent.objects.filter(verb="study_uploaded").exists()


@contextmanager
def on_statement(start: str, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` just before each SQL statement that begins like this."""

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(start):
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield


def fail_to_flush(patch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Let flushing the file of this name (without extension) fail."""
    flush = os.fsync

    def fail(descriptor: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{descriptor}")).stem == name:
            raise OSError(number, "from the test")
        flush(descriptor)

    patch.setattr(os, "fsync", fail)


# --- What is stored ------------------------------------------------------------------------------------


def test_stores_film_rows_and_event(cast: Cast) -> None:
    done = submit(cast, subject_code="S-017")
    assert done.created
    study = Study.objects.get()
    assert (study.project, study.uploaded_by, study.subject_code) == (cast.project, cast.alice, "S-017")
    assert (study.media_format, study.width, study.height, study.source) == ("PNG", 360, 300, "file")
    assert study.byte_size == len(chest_png())
    with study.original.open() as original:
        assert original.read() == chest_png()
    assert stored_files() == ["display.png", "original.png", "thumbnail.jpg"]


def test_a_thumbnail_stored_under_its_former_name_is_still_shown(cast: Cast, client: Client) -> None:
    study = submit(cast).study
    former = Path(study.thumbnail.path).rename(Path(study.thumbnail.path).with_suffix(".png"))
    Study.objects.update(thumbnail=str(former.relative_to(settings.MEDIA_ROOT)))
    client.force_login(cast.alice)
    answer = client.get(reverse("study-thumbnail", args=[study.uid]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")


def test_queues_one_prediction_by_the_active_model(cast: Cast, active_model: ModelVersion) -> None:
    prediction = submit(cast).prediction
    assert (prediction.status, prediction.attempts) == (Prediction.Status.QUEUED, 0)
    assert (prediction.model_version, prediction.requested_by) == (active_model, cast.alice)


def test_writes_the_event_in_the_same_transaction(cast: Cast) -> None:
    study = submit(cast).study
    event = AuditEvent.objects.get(verb="study_uploaded")
    assert (event.actor_name, event.object_type, event.object_id) == ("alice", "study", str(study.uid))
    assert event.details["sha256"] == study.sha256


def test_the_files_are_there_before_the_row(cast: Cast) -> None:
    seen: list[list[str]] = []
    with on_statement('INSERT INTO "diagnosis_study"', lambda: seen.append(stored_files())):
        submit(cast)
    assert seen == [["display.png", "original.png", "thumbnail.jpg"]]


@pytest.mark.parametrize(
    "name", ["Mustermann Erika 12.8.1964.png", "../../../etc/canary-passwd", "canary\x00.png"]
)
def test_keeps_the_senders_file_name_nowhere(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.alice)
    film = SimpleUploadedFile("film.png", chest_png(), content_type="image/png")
    film._name = name  # type: ignore[attr-defined]  # the public attribute cleans it
    answer = client.post(reverse("upload"), {"project": cast.project.pk, "file": film})
    assert answer.status_code == 200
    assert Study.objects.count() == 1
    rows = [str(row) for model in apps.get_models() for row in model._default_manager.values_list()]
    paths = [str(path) for path in Path(settings.MEDIA_ROOT).rglob("*")]
    kept = "\n".join(rows + paths)
    assert "study_uploaded" in kept
    assert not any(word in kept for word in ("Mustermann", "1964", "canary", "passwd"))


# --- Once in a project -----------------------------------------------------------------------------------


def test_the_same_film_is_not_stored_or_analysed_again(cast: Cast) -> None:
    first, again = submit(cast), submit(cast, actor=cast.adam, subject_code="S-018")
    assert not again.created
    assert (again.study, again.prediction) == (first.study, first.prediction)
    assert again.study.subject_code == ""
    assert len(stored_files()) == 3
    assert AuditEvent.objects.filter(verb="study_uploaded").count() == 1


def test_the_same_picture_in_other_bytes_is_another_film(cast: Cast) -> None:
    assert submit(cast).created
    assert submit(cast, data=jpeg()).created


def test_another_project_does_not_learn_that_the_film_is_here(cast: Cast) -> None:
    mine = submit(cast)
    theirs = submit(cast, actor=cast.otto, project=cast.other_project)
    assert theirs.created
    assert theirs.study != mine.study
    assert len(stored_files()) == 6


def test_the_trash_frees_the_film_s_place(cast: Cast) -> None:
    first = submit(cast)
    move_to_trash(actor=cast.adam, study=first.study)
    second = submit(cast)
    assert second.created
    assert second.study != first.study
    assert not submit(cast).created


@pytest.mark.parametrize("moment", ["thumbnail", "original"])
def test_the_same_film_twice_at_once_becomes_one_study(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    flush = os.fsync
    others: list[Submission] = []

    def flush_while_another_upload_is_faster(descriptor: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{descriptor}")).stem == moment:
            monkeypatch.setattr(os, "fsync", flush)
            others.append(submit(cast, actor=cast.adam))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", flush_while_another_upload_is_faster)
    mine = submit(cast)
    assert others[0].created
    assert not mine.created
    assert mine.study == others[0].study
    assert stored_files() == ["display.png", "original.png", "thumbnail.jpg"]
    assert Prediction.objects.count() == AuditEvent.objects.filter(verb="study_uploaded").count() == 1


# --- All or nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["original", "display", "thumbnail"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_behind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    fail_to_flush(monkeypatch, name, number)
    with pytest.raises(StorageFull) as caught:
        submit(cast)
    assert (caught.value.code, status_of(caught.value)) == ("storage_full", 507)
    assert "Free some space" in caught.value.message
    assert_nothing_is_stored()
    monkeypatch.undo()


def test_the_next_film_works_once_there_is_room(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        fail_to_flush(patch, "display", errno.ENOSPC)
        with pytest.raises(StorageFull):
            submit(cast)
    assert submit(cast).created


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EACCES])
def test_a_broken_disk_is_reported(cast: Cast, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with monkeypatch.context() as patch:
        fail_to_flush(patch, "thumbnail", number)
        with pytest.raises(NotReady) as caught:
            submit(cast)
    assert (caught.value.code, status_of(caught.value)) == ("storage_failed", 503)
    assert_nothing_is_stored()


@pytest.mark.parametrize("table", ["diagnosis_study", "diagnosis_prediction", "diagnosis_auditevent"])
def test_a_failing_database_leaves_nothing_behind(cast: Cast, table: str) -> None:
    def locked() -> None:
        raise OperationalError("database is locked")

    with on_statement(f'INSERT INTO "{table}"', locked), pytest.raises(NotReady) as caught:
        submit(cast)
    assert (caught.value.code, status_of(caught.value)) == ("database_unavailable", 503)
    assert_nothing_is_stored()


def test_without_its_event_nothing_is_stored(cast: Cast) -> None:
    def broken() -> None:
        raise RuntimeError("no event")

    with on_statement('INSERT INTO "diagnosis_auditevent"', broken), pytest.raises(RuntimeError):
        submit(cast)
    assert_nothing_is_stored()


def test_a_fault_reported_although_the_rows_are_stored_keeps_the_files(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_rows = submission._store_rows

    def store_and_lose_the_connection(*args: Any) -> None:
        store_rows(*args)
        raise OperationalError

    monkeypatch.setattr(submission, "_store_rows", store_and_lose_the_connection)
    with pytest.raises(OperationalError):
        submit(cast)
    assert Study.objects.count() == 1
    assert len(stored_files()) == 3


def test_a_stop_after_the_rows_are_stored_keeps_the_files(
    transactional_db: None, cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(uid: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "enqueue_prediction", stopped)
    with pytest.raises(KeyboardInterrupt):
        submit(cast)
    assert Study.objects.count() == 1
    assert len(stored_files()) == 3


# --- Who and what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["rania", "aude", "nobody", "otto"])
def test_only_uploaders_of_the_project_may_upload(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        submit(cast, actor=getattr(cast, who))
    assert status_of(caught.value) == 403
    assert_nothing_is_stored()


def test_an_administrator_may_without_membership(cast: Cast) -> None:
    assert submit(cast, actor=cast.adam).created


def test_needs_an_active_model(cast: Cast) -> None:
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    with pytest.raises(NotReady):
        submit(cast)
    assert_nothing_is_stored()


@pytest.mark.parametrize(
    "code",
    ["Erika Mustermann", "S-017\n", "S/017", "S\x00", "=1+1", "Müller", "x" * 41, " S-017", "<b>", "';--"],
)
def test_refuses_an_invalid_subject_code(cast: Cast, code: str) -> None:
    with pytest.raises(FilmRefused) as caught:
        submit(cast, subject_code=code)
    assert caught.value.code == "subject_code_invalid"
    assert caught.value.message.startswith("Subject code: ")
    assert_nothing_is_stored()


@pytest.mark.parametrize("code", ["", "S-017", "ward_7.b-3", "x" * 40])
def test_accepts_a_subject_code(cast: Cast, code: str) -> None:
    assert submit(cast, subject_code=code).study.subject_code == code


def test_a_refused_film_leaves_nothing_behind(cast: Cast) -> None:
    for data in (b"", b"a letter", chest_png()[:500]):
        with pytest.raises(Refused):
            submit(cast, data=data)
    assert_nothing_is_stored()


# --- The broker ------------------------------------------------------------------------------------------


@pytest.fixture
def frozen_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A broker that accepts connections and never answers, as a stopped Redis does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Celery prefers this variable to the setting of the same name, which was read from it at the start.
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        app = Celery("frozen", set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        monkeypatch.setattr(dispatch, "current_app", app)
        monkeypatch.setattr(dispatch, "_breaker", dispatch._CircuitBreaker())
        yield


@pytest.mark.usefixtures("frozen_broker")
def test_a_frozen_broker_costs_a_second_once_and_no_film(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    submit_seconds = []
    for seed in range(3):
        begun = time.monotonic()
        assert submit(cast, seed=seed).created
        submit_seconds.append(time.monotonic() - begun)
    assert 1.0 < submit_seconds[0] < 2.5  # the broker was really asked
    assert max(submit_seconds[1:]) < 1.0
    assert Prediction.objects.filter(status=Prediction.Status.QUEUED).count() == 3


@pytest.mark.usefixtures("frozen_broker")
def test_enqueueing_reports_that_the_broker_did_not_answer(db: None) -> None:
    begun = time.monotonic()
    assert not dispatch.enqueue_prediction("00000000-0000-0000-0000-000000000000")
    assert time.monotonic() - begun <= 2.5


def test_enqueues_only_after_the_rows_are_stored(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(dispatch, "enqueue_prediction", rung.append)
    with django_capture_on_commit_callbacks() as callbacks:
        prediction = submit(cast).prediction
    assert rung == []
    for callback in callbacks:
        callback()
    assert rung == [str(prediction.uid)]


def test_an_open_project_accepts_films_of_every_uploader(cast: Cast) -> None:
    everybody = Project.objects.create(slug="everybody", name="Everybody", open_to_all=True)
    assert submit(cast, actor=cast.otto, project=everybody).created
