"""A ZIP is unpacked step by step: killed anywhere and begun again, nothing is lost and nothing done twice."""

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
    """What takes a worker away: no `except Exception` sees it."""


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The batches that were rung for, instead of a broker."""
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


def lease_runs_out() -> None:
    Batch.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_every_file_gets_its_own_outcome_and_the_archive_goes(cast: Cast, rung: list[str]) -> None:
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


def test_a_step_ends_in_time_and_rings_for_the_next(cast: Cast, rung: list[str], settings: Any) -> None:
    settings.BATCH_STEP_SECONDS = 0
    batch = zip_batch(cast, *MIXED)
    for done in (1, 2, 3):
        unpack_batch(batch_uid=str(batch.uid))
        assert outcomes(batch).count("waiting") == 4 - done
        assert rung == [str(batch.uid)] * done
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert (batch.state, len(rung)) == (State.ANALYSING, 3)


def test_while_one_worker_unpacks_another_leaves_it_alone(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    Batch.objects.update(lease_token=batch.uid, lease_expires_at=timezone.now() + timedelta(seconds=20))
    unpack_batch(batch_uid=str(batch.uid))
    assert outcomes(batch) == ["waiting"] * 4


POINTS: dict[str, tuple[Any, str]] = {
    "before a film is decoded": (submission, "take_in"),
    "before its files are stored": (submission, "_store_files"),
    "between its files and its rows": (submission, "_store_rows"),
    "between the rows of film and place": (submission, "_fill_place"),
    "before an outcome is noted": (service, "_record_outcome"),
    "before the lease is renewed": (unpacking, "_renew"),
    "before the batch is closed": (unpacking, "_close"),
    "before the archive is deleted": (maintenance, "delete_archive"),
}


def killed_once(act: Callable[..., Any], at_call: int, *, afterwards: bool) -> Callable[..., Any]:
    """Let one call of `act` take the worker away, before or after its work; the others pass."""
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
def test_killed_anywhere_it_goes_on_where_it_was(
    cast: Cast, rung: list[str], monkeypatch: pytest.MonkeyPatch, point: str, at_call: int, afterwards: bool
) -> None:
    module, name = POINTS[point]
    monkeypatch.setattr(module, name, killed_once(getattr(module, name), at_call, afterwards=afterwards))
    batch = zip_batch(cast, *MIXED)
    for _ in range(3):
        try:
            unpack_batch(batch_uid=str(batch.uid))
        except KilledError:
            lease_runs_out()
    maintain_batches()
    batch.refresh_from_db()
    assert batch.state == State.ANALYSING
    assert outcomes(batch) == ["accepted", "refused", "accepted", "duplicate"]
    assert (Study.objects.count(), Prediction.objects.count(), archives()) == (2, 2, [])


def test_a_file_that_three_workers_do_not_survive_is_refused_and_the_rest_goes_on(
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
            lease_runs_out()
    assert outcomes(batch) == ["accepted", "refused", "accepted"]
    assert batch.items.get(position=2).code == "gave_up"


def test_while_something_of_ours_is_missing_the_batch_waits_and_says_why(cast: Cast, rung: list[str]) -> None:
    batch = zip_batch(cast, *MIXED)
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    for _ in range(6):
        unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert "register_model" in batch.trouble
    assert (outcomes(batch), rung) == (["waiting"] * 4, [])
    ModelVersion.objects.update(state=ModelVersion.State.ACTIVE)
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert (batch.trouble, batch.state) == ("", State.ANALYSING)


def test_an_archive_that_is_gone_ends_the_batch_with_a_reason(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    archives()[0].unlink()
    unpack_batch(batch_uid=str(batch.uid))
    batch.refresh_from_db()
    assert set(batch.items.values_list("outcome", "code")) == {("refused", "archive_lost")}
    assert batch.state == State.ANALYSING


def test_who_may_not_upload_any_more_gets_no_film_in(cast: Cast) -> None:
    batch = zip_batch(cast, *MIXED)
    cast.alice.groups.clear()
    unpack_batch(batch_uid=str(batch.uid))
    assert set(batch.items.values_list("code", flat=True)) == {"not_an_uploader"}
    assert (Study.objects.count(), archives()) == (0, [])


def test_an_archive_that_waits_unattended_is_rung_for_again(cast: Cast, rung: list[str]) -> None:
    batch = zip_batch(cast, *MIXED)
    maintain_batches()
    assert rung == []
    Batch.objects.update(touched_at=timezone.now() - timedelta(minutes=1))
    maintain_batches()
    Batch.objects.update(lease_token=batch.uid)
    lease_runs_out()
    maintain_batches()
    assert rung == [str(batch.uid)] * 2
