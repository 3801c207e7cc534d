"""A full disk: a film is refused as a whole, a result waits for space, and later work resumes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from audit.models import AuditEvent
from core.errors import NotReady
from core.http_status import status_of
from diagnosis.inference.worker import claim_prediction, finish
from diagnosis.intake.submission import Submission, submit_study
from diagnosis.models import ModelVersion, Prediction, Study
from diagnosis.storage.verification import check_storage
from tests.reliability.conftest import LIGHT, StartStack
from tests.reliability.helpers.uploader import Uploader
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png
from tests.support.results import film_result
from tests.support.servers.stack import ROOT
from tests.support.servers.waiting import wait_until

SMALL_DISK_BYTES = 24_000_000
IN_NAMESPACE = "PNEUMOWEB_TESTS_IN_NAMESPACE"


@contextmanager
def full_database() -> Iterator[None]:
    """Let SQLite find no space for another page, as on a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # earlier tests left empty pages
        cursor.execute("PRAGMA page_count")
        used = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {used}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def submit_until_refused(cast: Cast) -> tuple[list[Submission], NotReady]:
    """Return the films that the last pages held, and the refusal of the next one."""
    taken: list[Submission] = []
    try:
        while True:
            film = chest_png(seed=1 + len(taken))
            taken.append(submit_study(actor=cast.alice, project=cast.project, data=film))
    except NotReady as refusal:
        return taken, refusal


def test_a_film_refused_by_a_full_database_leaves_nothing_and_is_stored_later(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    with full_database():
        taken, refusal = submit_until_refused(cast)
    assert (refusal.code, status_of(refusal)) == ("database_unavailable", 503)
    assert Study.objects.count() == len(taken)
    assert len(files()) == 3 * len(taken)
    assert check_storage().is_whole
    late = chest_png(seed=1 + len(taken))
    assert submit_study(actor=cast.alice, project=cast.project, data=late).created


def test_a_result_refused_by_a_full_database_is_computed_again_and_written_once(
    transactional_db: None, cast: Cast, active_model: ModelVersion
) -> None:
    film = submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    uid = str(film.prediction.uid)
    claim = claim_prediction(uid)
    assert claim is not None
    with full_database():
        submit_until_refused(cast)
        with pytest.raises(OperationalError, match="full"):
            finish(claim, film_result())
    assert Prediction.objects.get(uid=uid).status == "running"
    Prediction.objects.filter(uid=uid).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    again = claim_prediction(uid)
    assert again is not None
    assert finish(again, film_result())
    assert AuditEvent.objects.filter(verb="prediction_succeeded", object_id=uid).count() == 1


# --- A real full disk -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path | None]:
    """A disk of 24 MB; None if the test already ran in a namespace whose root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        run_as_root_of_a_namespace(request.node.nodeid, tmp_path / "inside")
        yield None
        return
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run_as_root_of_a_namespace(test: str, folder: Path) -> None:
    """Run the test again in a namespace in which it may mount, without rights outside."""
    words = ["-q", "-p", "no:cacheprovider", "--basetemp", str(folder), test]
    inside = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "pytest", *words]
    if shutil.which("unshare") is None or IN_NAMESPACE in os.environ:
        pytest.skip("Nobody may mount a small disk here, not even in a namespace of their own.")
    done = subprocess.run(
        inside,
        cwd=ROOT,
        env={**os.environ, IN_NAMESPACE: "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    if "1 passed" not in done.stdout:
        pytest.skip(f"No namespace here: {done.stdout[-200:]}")


def fill(disk: Path) -> Path:
    """Fill the disk to the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert shutil.disk_usage(disk).free == 0
    return filler


def assert_rows_and_files_agree(uploader: Uploader) -> None:
    uploader.stack.manage("check_storage")


@pytest.mark.nightly
@pytest.mark.worker
def test_a_full_disk_of_films_refuses_each_film_as_a_whole_until_there_is_space(
    start_stack: StartStack, small_disk: Path | None, record_property: Callable[..., None]
) -> None:
    if small_disk is None:
        return
    uploader = start_stack("valkey", MEDIA=str(small_disk / "media"), **LIGHT)
    uploader.stack.start_worker()
    uploader.upload()
    filler = fill(small_disk)
    assert [uploader.try_upload()[0] for _ in range(5)] == [507] * 5
    assert len(uploader.statuses()) == 1
    assert_rows_and_files_agree(uploader)
    filler.unlink()
    uploader.upload()
    record_property("first_upload_after_freeing_seconds", round(uploader.seconds[-1], 2))
    uploader.wait_until_all_are_through(seconds=60)
    assert uploader.results() == [1, 1]
    assert_rows_and_files_agree(uploader)


@pytest.mark.nightly
@pytest.mark.worker
def test_a_full_disk_of_database_and_broker_loses_no_confirmed_film_and_work_resumes_with_space(
    start_stack: StartStack, small_disk: Path | None, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    if small_disk is None:
        return
    uploader = start_stack("valkey", small_disk / "var", MEDIA=str(tmp_path / "media"), **LIGHT)
    uploader.stack.start_worker()
    for _ in range(5):
        uploader.upload()
    uploader.wait_until_more_are_through(0)
    filler = fill(small_disk)
    answers = [uploader.try_upload()[0] for _ in range(10)]
    record_property("answers", answers)
    assert set(answers) <= {201, 503, 507}
    assert 201 not in answers[-3:]
    filler.unlink()
    confirmed = 5 + answers.count(201)

    def takes_films_again() -> bool:
        return uploader.try_upload()[0] == 201

    wait_until(takes_films_again, seconds=30, what="a film that is stored")

    def all_are_through() -> bool:
        uploader.stack.revive()  # a worker or scheduler without space for its broker or log has ended
        return not uploader.unfinished()

    wait_until(all_are_through, seconds=120, what="the end of the queue", every=0.5)
    assert uploader.statuses() == ["succeeded"] * (confirmed + 1)
    assert uploader.results() == [1] * (confirmed + 1)
    assert_rows_and_files_agree(uploader)
