"""The Idempotency-Key: sent twice, done once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import IdempotencyKey
from diagnosis.models import ModelVersion, Prediction, Study
from reading.models import Review
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast

STUDIES = "/api/v1/studies/"
KEY = {"Idempotency-Key": "upload-0001"}


def send(cast: Cast, *, seed: int = 0, name: str = "film.png", **options: Any) -> Any:
    body = {"file": film_upload(seed=seed, name=name), "project": "ward-7"}
    return client_of(options.pop("user", cast.alice)).post(STUDIES, body, headers=KEY)


def test_a_replay_gets_the_first_answer(cast: Cast, active_model: ModelVersion) -> None:
    first, again = send(cast), send(cast, name="another-name.png")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again["Idempotent-Replayed"] == "true"


def test_a_review_is_saved_once(cast: Cast, finished_study: Study) -> None:
    opinion = {
        "study": str(finished_study.uid),
        "finding": "pneumonia",
        "confidence": 90,
        "agrees_with_ai": True,
    }
    client = client_of(cast.rania)
    answers = [client.post("/api/v1/reviews/", opinion, format="json", headers=KEY).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert Review.objects.count() == 1


def test_a_new_reading_is_asked_for_once(cast: Cast, study: Study) -> None:
    Prediction.objects.update(status="failed", failure_code="gave_up")
    url = f"{STUDIES}{study.uid}/predictions/"
    client = client_of(cast.alice)
    assert client.post(url, headers=KEY).status_code == client.post(url, headers=KEY).status_code == 201
    assert Prediction.objects.count() == 2


def test_the_same_key_for_another_film_is_refused(cast: Cast, active_model: ModelVersion) -> None:
    send(cast)
    assert_problem(send(cast, seed=1), 422, "idempotency_key_reused")
    assert Study.objects.count() == 1


def test_keys_of_different_people_do_not_meet(cast: Cast, active_model: ModelVersion) -> None:
    send(cast)
    answer = send(cast, user=cast.adam)
    assert (answer.status_code, answer.json()["duplicate"]) == (200, True)


def test_after_a_refusal_the_key_can_be_used_for_the_corrected_request(
    cast: Cast, active_model: ModelVersion
) -> None:
    client = client_of(cast.alice)
    assert client.post(STUDIES, {"file": film_upload(b"no film")}, headers=KEY).status_code == 400
    assert send(cast).status_code == 201


def test_while_the_first_request_is_at_work_the_second_is_409(cast: Cast, active_model: ModelVersion) -> None:
    send(cast)
    IdempotencyKey.objects.update(status=None, answer=None)
    assert_problem(send(cast), 409, "idempotency_key_in_use")


def test_a_request_whose_process_died_can_be_sent_again(cast: Cast, active_model: ModelVersion) -> None:
    send(cast)
    long_ago = timezone.now() - timedelta(minutes=3)
    IdempotencyKey.objects.update(status=None, answer=None, created_at=long_ago)
    assert send(cast).json()["duplicate"] is True


def test_keys_are_forgotten_after_a_day(cast: Cast, active_model: ModelVersion) -> None:
    send(cast)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert send(cast, seed=1).status_code == 201
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_must_be_printable_and_short(cast: Cast, active_model: ModelVersion, key: str) -> None:
    response = client_of(cast.alice).post(STUDIES, {"file": film_upload()}, headers={"Idempotency-Key": key})
    assert assert_problem(response, 400)["errors"][0]["field"] == "Idempotency-Key"
    assert not Study.objects.exists()
