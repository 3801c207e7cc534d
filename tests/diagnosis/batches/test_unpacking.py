"""A ZIP is unpacked in steps: killed at any point and resumed, nothing is lost and nothing is done twice."""

import io
import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone

from diagnosis.batches import maintenance, service, unpacking
from diagnosis.batches.maintenance import maintain_batches
from diagnosis.batches.service import begin_zip_batch
from diagnosis.batches.unpacking import unpack_batch
from diagnosis.inference import dispatch
from diagnosis.intake import submission
from diagnosis.models import Batch, BatchItem, ModelVersion, Prediction, Study
from tests.support.cast import Cast
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png

pytestmark = pytest.mark.usefixtures("active_model")
State = Batch.State
MIXED = (chest_png(seed=1), NOT_FILMS["text"], chest_png(seed=2), chest_png(seed=1))


class KilledError(BaseException):
    """The death of a worker: no `except Exception` catches it."""


@pytest.fixture(autouse=True)
def _steps_without_a_time_limit(settings: Any) -> None:
    settings.BATCH_STEP_SECONDS = 60  # a busy machine would end a step early


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of batches that were sent, in place of a broker."""
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "enqueue_unpacking", ids.append)
    return ids


def zip_batch(cast: Cast, *contents: bytes) -> Batch:
    data = zips.zip_of(*contents)
    return begin_zip_batch(actor=cast.alice, project=cast.project, archive=io.BytesIO(data))


def outcomes(batch: Batch) -> list[str]:
    return list(batch.items.order_by("position").values_list("outcome", flat=True))


def archives() -> list[Path]:
    return list((Path(configured.MEDIA_ROOT) / "batches").rglob("*.zip"))


def expire_lease() -> None:
    Batch.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_every_file_gets_its_own_outcome_and_the_archive_is_deleted(cast: Cast, sent: list[str]) -> None:
    batch = zip_batch(cast, *MIXED)
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert outcomes(batch) == ["accepted", "refused", "accepted", "duplicate"]
    assert batch.items.get(position=2).code == "not_an_image"
    assert batch.items.get(position=4).study == batch.items.get(position=1).study
    assert (batch.state, batch.archive, archives()) == (State.ANALYSING, "", [])
    assert (Study.objects.count(), Prediction.objects.filter(in_batch=True).count()) == (2, 2)


def test_no_name_from_the_archive_is_kept(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    batch = zip_batch(cast, *MIXED)
    unpack_batch(batch_uid=str(batch.uid))
    rows = [str(row) for model in (Batch, BatchItem, Study) for row in model.objects.values()]
    paths = [str(path) for path in Path(configured.MEDIA_ROOT).rglob("*")]
    assert not [text for text in [*rows, *paths, caplog.text] if "Smith" in text]


def test_a_step_ends_in_time_and_enqueues_the_next(cast: Cast, sent: list[str], settings: Any) -> None:
    settings.BATCH_STEP_SECONDS = 0
    batch = zip_batch(cast, *MIXED)
    for done in (1, 2, 3):
        unpack_batch(batch_uid=str(batch.uid))
        assert outcomes(batch).count("waiting") == 4 - done
        assert sent == [str(batch.uid)] * done
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert (batch.state, len(sent)) == (State.ANALYSING, 3)


def test_while_one_worker_unpacks_a_batch_another_leaves_it_alone(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    Batch.objects.update(lease_token=batch.uid, lease_expires_at=timezone.now() + timedelta(seconds=20))
    unpack_batch(batch_uid=str(batch.uid))
    assert outcomes(batch) == ["waiting"] * 4


POINTS: dict[str, tuple[Any, str]] = {
    "before a film is decoded": (submission, "ingest"),
    "before its files are stored": (submission, "_store_files"),
    "between its files and its rows": (submission, "_store_rows"),
    "between the rows of film and item": (submission, "_accept_item"),
    "before an outcome is recorded": (service, "_record_outcome"),
    "before the lease is renewed": (unpacking, "_renew"),
    "before the batch is closed": (unpacking, "_close"),
    "before the archive is deleted": (maintenance, "delete_archive"),
}


def killed_once(act: Callable[..., Any], at_call: int, *, afterwards: bool) -> Callable[..., Any]:
    """Let one call of `act` kill the worker, before or after its work; the others pass."""
    calls = itertools.count(1)

    def killing(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        if number == at_call and not afterwards:
            raise KilledError
        answer = act(*args, **kwargs)
        if number == at_call:
            raise KilledError
        return answer

    return killing


@pytest.mark.parametrize(("at_call", "afterwards"), [(2, False), (1, True)])
@pytest.mark.parametrize("point", list(POINTS))
def test_unpacking_killed_at_any_point_resumes_where_it_was(
    cast: Cast, sent: list[str], monkeypatch: pytest.MonkeyPatch, point: str, at_call: int, afterwards: bool
) -> None:
    module, name = POINTS[point]
    monkeypatch.setattr(module, name, killed_once(getattr(module, name), at_call, afterwards=afterwards))
    batch = zip_batch(cast, *MIXED)
    for _ in range(3):
        try:
            unpack_batch(batch_uid=str(batch.uid))
        except KilledError:
            expire_lease()
    maintain_batches()
    batch.refresh_from_db()
    assert batch.state == State.ANALYSING
    assert outcomes(batch) == ["accepted", "refused", "accepted", "duplicate"]
    assert (Study.objects.count(), Prediction.objects.count(), archives()) == (2, 2, [])


def test_a_file_that_three_workers_do_not_survive_is_refused_and_the_rest_is_unpacked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = zip_batch(cast, chest_png(seed=1), chest_png(seed=2), chest_png(seed=3))
    ingest_item = service.ingest_item

    def deadly(*, item: BatchItem, **rest: Any) -> None:
        if item.position == 2:
            raise KilledError
        ingest_item(item=item, **rest)

    monkeypatch.setattr(service, "ingest_item", deadly)
    for _ in range(5):
        try:
            unpack_batch(batch_uid=str(batch.uid))
        except KilledError:
            expire_lease()
    assert outcomes(batch) == ["accepted", "refused", "accepted"]
    assert batch.items.get(position=2).code == "gave_up"


def test_during_a_temporary_failure_the_batch_waits_and_gives_the_reason(cast: Cast, sent: list[str]) -> None:
    batch = zip_batch(cast, *MIXED)
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    for _ in range(6):
        unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert "register_model" in batch.trouble
    assert (outcomes(batch), sent) == (["waiting"] * 4, [])
    ModelVersion.objects.update(state=ModelVersion.State.ACTIVE)
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert (batch.trouble, batch.state) == ("", State.ANALYSING)


def test_a_missing_archive_ends_the_batch_with_a_reason(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    archives()[0].unlink()
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert set(batch.items.values_list("outcome", "code")) == {("refused", "archive_lost")}
    assert batch.state == State.ANALYSING


def test_films_of_a_person_who_may_no_longer_upload_are_refused(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    cast.alice.groups.clear()
    unpack_batch(batch_uid=str(batch.uid))
    assert set(batch.items.values_list("code", flat=True)) == {"not_an_uploader"}
    assert (Study.objects.count(), archives()) == (0, [])


def test_an_unattended_archive_is_enqueued_again(cast: Cast, sent: list[str]) -> None:
    batch = zip_batch(cast, *MIXED)
    maintain_batches()
    assert sent == []
    Batch.objects.update(touched_at=timezone.now() - timedelta(minutes=1))
    maintain_batches()
    Batch.objects.update(lease_token=batch.uid)
    expire_lease()
    maintain_batches()
    assert sent == [str(batch.uid)] * 2
