"""The reconciler sends again for every lost film, and gives up after the last attempt."""

from datetime import timedelta

import pytest
from django.utils import timezone

from diagnosis.inference import dispatch
from diagnosis.inference.reconcile import reconcile
from diagnosis.models import Prediction, Study

Status = Prediction.Status


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that were sent, in place of a broker."""
    ids: list[str] = []

    def record(uid: str) -> bool:
        ids.append(uid)
        return True

    monkeypatch.setattr(dispatch, "enqueue_prediction", record)
    return ids


def change(study: Study, **columns: object) -> str:
    study.predictions.update(**columns)
    return str(study.predictions.get().uid)


def long_ago() -> object:
    return timezone.now() - timedelta(minutes=5)


def test_an_unattended_film_is_sent_again(study: Study, sent: list[str]) -> None:
    uid = change(study, queued_at=long_ago())
    assert reconcile() == 1
    assert sent == [uid]


def test_a_film_that_has_just_arrived_is_left_to_its_own_message(study: Study, sent: list[str]) -> None:
    assert reconcile() == 0


def test_a_film_whose_worker_died_is_sent_again_after_its_lease(study: Study, sent: list[str]) -> None:
    uid = change(study, status=Status.RUNNING, attempts=1, lease_expires_at=long_ago())
    assert reconcile() == 1
    assert sent == [uid]


def test_a_film_that_is_being_analysed_is_left_alone(study: Study, sent: list[str]) -> None:
    change(study, status=Status.RUNNING, attempts=1, lease_expires_at=timezone.now() + timedelta(seconds=20))
    assert reconcile() == 0


@pytest.mark.parametrize("status", [Status.RUNNING, Status.QUEUED])
def test_a_film_that_killed_its_worker_three_times_fails_with_a_reason(
    study: Study, sent: list[str], status: str
) -> None:
    change(study, status=status, attempts=3, lease_expires_at=long_ago(), queued_at=long_ago())
    assert reconcile() == 0
    prediction = study.predictions.get()
    assert (prediction.status, prediction.failure_code) == (Status.FAILED, "gave_up")


def test_a_running_third_attempt_is_left_alone(study: Study, sent: list[str]) -> None:
    change(study, status=Status.RUNNING, attempts=3, lease_expires_at=timezone.now() + timedelta(seconds=20))
    assert reconcile() == 0
    assert study.predictions.get().status == Status.RUNNING


def test_a_finished_film_is_left_alone(finished_study: Study, sent: list[str]) -> None:
    change(finished_study, queued_at=long_ago())
    assert reconcile() == 0
