"""Waiting for a worker by polling, without an open transaction."""

import pytest
from django.db import connection

from diagnosis.inference import wait
from diagnosis.inference.wait import wait_until_finished
from diagnosis.models import Prediction, Study


@pytest.fixture
def prediction(study: Study) -> Prediction:
    return study.predictions.get()


def test_returns_as_soon_as_the_row_is_finished(
    prediction: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def work(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            Prediction.objects.update(status="failed", failure_code="gave_up")

    monkeypatch.setattr(wait, "sleep", work)
    finished = wait_until_finished(prediction=prediction, seconds=3600)
    assert (finished.status, finished.failure_code, len(pauses)) == ("failed", "gave_up", 3)
    assert pauses == sorted(pauses)


def test_does_not_wait_for_what_is_finished(prediction: Prediction, monkeypatch: pytest.MonkeyPatch) -> None:
    Prediction.objects.update(status="failed", failure_code="gave_up")
    prediction.refresh_from_db()
    monkeypatch.setattr(wait, "sleep", lambda seconds: pytest.fail("waited"))
    assert wait_until_finished(prediction=prediction, seconds=3600).status == "failed"


def test_gives_up_after_the_time(prediction: Prediction) -> None:
    assert wait_until_finished(prediction=prediction, seconds=0).status == "queued"


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_meanwhile(prediction: Prediction, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def inspect(seconds: float) -> None:
        seen.append(connection.in_atomic_block)
        Prediction.objects.update(status="failed", failure_code="gave_up")

    monkeypatch.setattr(wait, "sleep", inspect)
    wait_until_finished(prediction=prediction, seconds=3600)
    assert seen == [False]
