"""The worker's task: claims, leases, results and failures, also of workers that die."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import AuditEvent
from diagnosis import leases
from diagnosis.inference import worker
from diagnosis.inference.failures import FAILURES
from diagnosis.inference.worker import claim_prediction, fail, finish, requeue, run_prediction
from diagnosis.models import Prediction, Study
from pneumoml.network.predictor import FilmResult
from tests.support.results import film_result
from tests.support.servers.waiting import wait_until

Status = Prediction.Status


@pytest.fixture
def waiting(study: Study) -> Prediction:
    """The queued prediction of the synthetic film."""
    return study.predictions.get()


def expire_lease(prediction: Prediction) -> None:
    """Let the lease expire as that of a killed worker does."""
    past = timezone.now() - timedelta(seconds=1)
    Prediction.objects.filter(pk=prediction.pk).update(lease_expires_at=past)


def test_a_queued_film_is_claimed_once_however_many_messages_arrive(waiting: Prediction) -> None:
    claims = [claim_prediction(str(waiting.uid)) for _ in range(50)]
    assert [claim is not None for claim in claims] == [True] + [False] * 49


def test_a_claim_counts_the_attempt_and_sets_a_lease_in_the_future(waiting: Prediction) -> None:
    claim_prediction(str(waiting.uid))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == (Status.RUNNING, 1)
    assert waiting.lease_expires_at > timezone.now()


def test_an_unknown_film_cannot_be_claimed(db: None) -> None:
    assert claim_prediction(str(uuid4())) is None


def test_finishing_stores_the_result_and_an_audit_event(waiting: Prediction) -> None:
    claim = claim_prediction(str(waiting.uid))
    assert finish(claim, film_result(0.78))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome) == (Status.SUCCEEDED, Prediction.Outcome.PNEUMONIA)
    assert waiting.calibrated_probability == pytest.approx(0.78)
    assert len(waiting.cam) == 14
    assert waiting.cam_area == [0.04, 0.04, 0.96, 0.96]
    assert waiting.lease_token is None
    assert AuditEvent.objects.filter(verb="prediction_succeeded", object_id=str(waiting.uid)).count() == 1


@pytest.mark.parametrize(("score", "outcome"), [(0.49, "normal"), (0.50, "pneumonia"), (0.51, "pneumonia")])
def test_the_outcome_is_decided_at_the_cards_operating_point(
    waiting: Prediction, score: float, outcome: str
) -> None:
    finish(claim_prediction(str(waiting.uid)), film_result(score))
    waiting.refresh_from_db()
    assert waiting.outcome == outcome


def test_a_worker_that_lost_its_lease_cannot_write_late(waiting: Prediction) -> None:
    late = claim_prediction(str(waiting.uid))
    expire_lease(waiting)
    successor = claim_prediction(str(waiting.uid))
    assert not finish(late, film_result(0.1))
    assert not fail(late, "film_missing")
    assert finish(successor, film_result(0.9))
    assert not finish(late, film_result(0.1))
    waiting.refresh_from_db()
    assert waiting.calibrated_probability == pytest.approx(0.9)


def test_a_finished_film_is_not_analysed_again_by_a_late_message(finished_study: Study) -> None:
    assert claim_prediction(str(finished_study.predictions.get().uid)) is None


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[object]:
    """The end of each lease that is set; the lease is so short that it is renewed at once."""
    settings.PREDICTION_LEASE_SECONDS = 0.3
    ends: list[object] = []
    end = leases._end

    def remember(seconds: float) -> object:
        ends.append(end(seconds))
        return ends[-1]

    monkeypatch.setattr(leases, "_end", remember)
    return ends


@pytest.mark.django_db(transaction=True)
def test_the_lease_of_a_running_worker_is_renewed(waiting: Prediction, renewals: list[object]) -> None:
    claim = claim_prediction(str(waiting.uid))
    with leases.kept(claim, seconds=0.3):
        wait_until(lambda: len(renewals) >= 3, seconds=30, what="the second renewal, and with it the first")
    waiting.refresh_from_db()
    assert waiting.lease_expires_at in renewals[1:]


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_kept_for_as_long_as_the_network_computes(
    waiting: Prediction, renewals: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute_slowly(prediction: Prediction, prefetcher: object) -> FilmResult:
        wait_until(lambda: len(renewals) >= 2, seconds=30, what="a renewal during the analysis")
        return film_result()

    monkeypatch.setattr(worker, "_compute", compute_slowly)
    run_prediction(prediction_uid=str(waiting.uid))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == (Status.SUCCEEDED, 1)


@pytest.mark.django_db(transaction=True)
def test_a_late_worker_does_not_renew_its_successors_lease(
    waiting: Prediction, renewals: list[object]
) -> None:
    late = claim_prediction(str(waiting.uid))
    expire_lease(waiting)
    successor = claim_prediction(str(waiting.uid))
    with leases.kept(late, seconds=0.3):
        wait_until(lambda: len(renewals) >= 4, seconds=30, what="two renewals that change nothing")
    waiting.refresh_from_db()
    assert waiting.lease_expires_at == successor.row.lease_expires_at


def test_after_an_unexpected_error_the_film_is_queued_again_and_three_make_it_fail(
    waiting: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(prediction: Prediction, prefetcher: object) -> None:
        raise MemoryError

    monkeypatch.setattr(worker, "_compute", breaks)
    seen = []
    for _ in range(3):
        run_prediction(prediction_uid=str(waiting.uid))
        waiting.refresh_from_db()
        seen.append(waiting.status)
    assert seen == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    assert waiting.failure_code == "gave_up"
    assert claim_prediction(str(waiting.uid)) is None


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_there_is_no_fourth_attempt(waiting: Prediction, status: str) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Prediction.objects.filter(pk=waiting.pk).update(status=status, attempts=3, lease_expires_at=past)
    assert claim_prediction(str(waiting.uid)) is None


def test_only_the_holder_of_the_lease_can_queue_the_film_again(waiting: Prediction) -> None:
    late = claim_prediction(str(waiting.uid))
    expire_lease(waiting)
    successor = claim_prediction(str(waiting.uid))
    requeue(late)
    assert finish(successor, film_result())


def test_a_film_whose_stored_copy_is_gone_fails_with_a_reason(waiting: Prediction) -> None:
    waiting.study.display.storage.delete(waiting.study.display.name)
    run_prediction(prediction_uid=str(waiting.uid))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Status.FAILED, "film_missing")


def test_a_model_whose_files_are_gone_fails_with_a_reason(waiting: Prediction) -> None:
    run_prediction(prediction_uid=str(waiting.uid))  # "test-model" has rows, but no folder
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Status.FAILED, "model_refused")


def test_every_failure_code_has_a_sentence_for_people() -> None:
    assert all(sentence.endswith(".") for sentence in FAILURES.values())
    assert {"gave_up", "film_missing", "model_refused"} <= set(FAILURES)


def test_the_database_refuses_a_second_live_prediction(waiting: Prediction) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.create(
            study=waiting.study, model_version=waiting.model_version, requested_by=waiting.requested_by
        )


def test_the_database_refuses_success_without_a_result(waiting: Prediction) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=waiting.pk).update(status=Status.SUCCEEDED)
