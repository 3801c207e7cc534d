"""Periodic maintenance: batches are closed and finished, stray archives are deleted."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from diagnosis.batches import maintenance
from diagnosis.batches.maintenance import maintain_batches
from diagnosis.batches.service import begin_zip_batch, close_batch
from diagnosis.models import Batch, Notification, Prediction
from tests.diagnosis.batches.helpers import add, analyse_all, archives, begun
from tests.support.cast import Cast
from tests.support.inputs import zips

pytestmark = pytest.mark.usefixtures("active_model")


def test_a_batch_is_finished_once_every_film_is_analysed_and_its_sender_is_notified(cast: Cast) -> None:
    batch = begun(cast)
    add(cast, batch, 1)
    add(cast, batch, 2)
    maintain_batches()
    close_batch(actor=cast.alice, batch=batch)
    maintain_batches()
    batch.refresh_from_db()
    assert batch.state == Batch.State.ANALYSING
    Prediction.objects.filter(study__batch_items__position=2).update(status="failed", failure_code="gave_up")
    analyse_all()
    for _ in range(2):
        maintain_batches()
    batch.refresh_from_db()
    assert batch.state == Batch.State.FINISHED
    notification = Notification.objects.get()
    assert (notification.user, notification.batch) == (cast.alice, batch)
    assert {name: notification.facts[name] for name in ("accepted", "refused", "failed")} == {
        "accepted": 2,
        "refused": 0,
        "failed": 1,
    }


def test_an_abandoned_batch_is_closed_after_a_day(cast: Cast) -> None:
    batch = begun(cast)
    maintain_batches()
    batch.refresh_from_db()
    assert batch.state == Batch.State.RECEIVING
    Batch.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    maintain_batches()
    batch.refresh_from_db()
    assert batch.state == Batch.State.FINISHED


def test_an_archive_without_a_batch_is_deleted_after_an_hour(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = begin_zip_batch(actor=cast.alice, project=cast.project, archive=io.BytesIO(zips.films_zip(1)))
    stray = begin_zip_batch(actor=cast.alice, project=cast.project, archive=io.BytesIO(zips.films_zip(1)))
    stray.delete()
    maintain_batches()
    assert len(archives()) == 2
    monkeypatch.setattr(maintenance, "_STRAY_AFTER", timedelta(0))
    maintain_batches()
    assert [path.parent.name for path in archives()] == [str(kept.uid)]
