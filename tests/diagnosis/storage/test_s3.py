"""Films in an S3-compatible object store: private, shown by our own views, stored whole or not at all."""

import io
import os
import signal
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from core.errors import NotReady
from core.http_status import status_of
from diagnosis.inference import predictors, worker
from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Prediction, Study
from diagnosis.storage import journal
from diagnosis.storage.filesystem import StoreUnreachableError
from diagnosis.storage.s3 import ObjectStorage
from diagnosis.storage.verification import check_storage
from operations.backup import restoring
from operations.backup.writing import make_backup
from pneumoweb.runtime.media import film_storage
from tests.diagnosis.storage.killed import upload_killed_before_its_rows
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png
from tests.support.results import film_result
from tests.support.servers.object_store import KEY, ObjectStore

pytestmark = pytest.mark.django_db


def use(settings: Any, store: ObjectStore) -> None:
    films = film_storage(
        store.settings["MEDIA"],
        endpoint_url=store.url,
        region_name="",
        access_key=KEY["AWS_ACCESS_KEY_ID"],
        secret_key=KEY["AWS_SECRET_ACCESS_KEY"],
    )
    settings.STORAGES = {**settings.STORAGES, "default": films}


@pytest.fixture
def store(object_store: ObjectStore, settings: Any) -> ObjectStore:
    """The object store as the place of all films."""
    use(settings, object_store)
    return object_store


@pytest.fixture
def no_store(settings: Any) -> None:
    """An installation whose object store is not there."""
    use(settings, ObjectStore())


@pytest.fixture
def film(store: ObjectStore, study: Study) -> Study:
    """A film that was taken in."""
    return study


def test_a_film_is_stored_analysed_shown_and_deleted(
    film: Study, store: ObjectStore, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reader:
        def predict(self, pixels: Any, *, colour_fraction: float) -> Any:
            assert pixels.shape == (film.height, film.width)
            return film_result(0.9)

    monkeypatch.setattr(predictors, "_load", lambda *version: Reader())
    place = f"site/studies/{film.uid.hex[:2]}/{film.uid}"
    kept = [f"{place}/display.png", f"{place}/original.png", f"{place}/thumbnail.jpg"]
    assert [name for name in store.names() if "/incoming/" not in name] == kept
    worker.run_prediction(prediction_uid=str(film.predictions.get().uid))
    assert film.predictions.get().status == Prediction.Status.SUCCEEDED
    client.force_login(cast.alice)
    for name in ("study-display", "study-thumbnail", "study-original", "study-overlay"):
        assert client.get(reverse(name, args=[film.uid])).status_code == 200, name
    shown = client.get(reverse("study-original", args=[film.uid]))
    assert b"".join(shown.streaming_content) == chest_png()  # type: ignore[attr-defined]
    for file in (film.original, film.display, film.thumbnail):
        file.delete(save=False)
    assert [name for name in store.names() if "/incoming/" not in name] == []


def test_objects_are_private_and_have_no_url(film: Study, store: ObjectStore) -> None:
    name = f"site/{film.original.name}"
    acl = store.client.get_object_acl(Bucket=store.bucket, Key=name)
    assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]
    assert requests.get(f"{store.url}/{store.bucket}/{name}", timeout=10).status_code == 403
    with pytest.raises(ValueError, match="no public address"):
        _ = film.original.url


def test_where_the_store_is_down_nothing_is_stored_and_the_answer_says_so(
    no_store: None, cast: Cast, active_model: ModelVersion, client: Client
) -> None:
    with pytest.raises(NotReady) as refusal:
        submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert (refusal.value.code, status_of(refusal.value)) == ("storage_failed", 503)
    client.force_login(cast.alice)
    client.raise_request_exception = False
    answer = client.post("/api/v1/studies/", {"file": ContentFile(chest_png(), "film.png")})
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert Study.objects.count() == 0
    assert journal.remove_leftovers() == 0


def test_a_store_that_fails_half_way_leaves_no_row_and_an_entry(
    store: ObjectStore, cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    save, delete = default_storage.save, default_storage.delete

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise StoreUnreachableError

    def breaks_at_the_display_copy(name: str, *rest: Any, **more: Any) -> Any:
        return fails() if name.endswith("display.png") else save(name, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", breaks_at_the_display_copy)
        patch.setattr(default_storage, "delete", fails)
        with pytest.raises(NotReady):
            submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    assert default_storage.delete == delete
    assert Study.objects.count() == 0
    assert len(store.names()) == 2
    assert check_storage().is_whole  # the upload may still be running
    settings.INCOMING_FORGOTTEN_AFTER_SECONDS = -1
    assert journal.remove_leftovers() == 1
    assert store.names() == []


def test_files_of_a_killed_upload_are_found_by_their_entry(
    store: ObjectStore, cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    upload_killed_before_its_rows(cast, monkeypatch)
    assert journal.remove_leftovers() == 0
    assert len(store.names()) == 4
    settings.INCOMING_FORGOTTEN_AFTER_SECONDS = -1
    assert journal.remove_leftovers() == 1
    assert store.names() == []


def test_a_film_waits_without_losing_attempts_while_the_store_is_down(film: Study, settings: Any) -> None:
    use(settings, ObjectStore())
    row = film.predictions.get()
    for _ in range(settings.PREDICTION_MAX_ATTEMPTS + 1):
        worker.run_prediction(prediction_uid=str(row.uid))
        row.refresh_from_db()
        assert (row.status, row.attempts, row.lease_token) == (Prediction.Status.QUEUED, 0, None)


def test_a_film_that_is_gone_from_the_store_fails(film: Study) -> None:
    default_storage.delete(str(film.display.name))
    worker.run_prediction(prediction_uid=str(film.predictions.get().uid))
    row = film.predictions.get()
    assert (row.status, row.failure_code) == (Prediction.Status.FAILED, "film_missing")


def test_rows_and_objects_are_compared(film: Study, store: ObjectStore) -> None:
    journal.clear(film.uid)
    assert (check_storage().is_whole, check_storage().files) == (True, 3)
    stray = "studies/ab/11111111-2222-3333-4444-555555555555/original.png"
    default_storage.save(stray, ContentFile(b"nobody's"))
    store.client.put_object(Bucket=store.bucket, Key=f"site/{film.original.name}", Body=b"another")
    default_storage.delete(str(film.thumbnail.name))
    report = check_storage()
    assert (report.missing, report.changed, report.without_row) == (
        [film.thumbnail.name],
        [film.original.name],
        [stray],
    )


def test_a_backup_holds_the_objects_and_brings_them_back(
    film: Study, tmp_path: Path, transactional_db: None
) -> None:
    manifest = make_backup(actor=None, path=tmp_path / "all.tar")
    assert (len(manifest.files), manifest.missing_files) == (3, [])
    assert manifest.files[str(film.original.name)] == film.sha256
    for name in manifest.files:
        default_storage.delete(name)
    with tarfile.open(tmp_path / "all.tar") as tar:
        for name, sha256 in manifest.files.items():
            assert restoring._restore_file(tar, name, sha256) == name
    assert film.original.open("rb").read() == chest_png()


def test_of_a_large_archive_only_the_members_are_fetched(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.bin", bytes([number]) * 8_000_000)
    default_storage.save("batches/one/archive.zip", ContentFile(packed.getvalue()))
    fetched: list[int] = []
    piece = ObjectStorage.piece

    def counted(*args: Any) -> bytes:
        fetched.append(len(piece(*args)))
        return piece(*args)

    monkeypatch.setattr(ObjectStorage, "piece", counted)
    with default_storage.open("batches/one/archive.zip", "rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("1.bin") == b"\x01" * 8_000_000
    assert 8_000_000 <= sum(fetched) < 16_000_000


@pytest.mark.nightly
def test_a_store_that_hangs_keeps_an_uploader_for_some_seconds_only(
    store: ObjectStore, cast: Cast, active_model: ModelVersion
) -> None:
    assert store.process is not None
    os.killpg(store.process.pid, signal.SIGSTOP)
    started = time.monotonic()
    try:
        with pytest.raises(NotReady):
            submit_study(actor=cast.alice, project=cast.project, data=chest_png())
    finally:
        os.killpg(store.process.pid, signal.SIGCONT)
    assert time.monotonic() - started < 30
    assert Study.objects.count() == 0
