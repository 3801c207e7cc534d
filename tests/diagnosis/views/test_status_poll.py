"""Polling of unfinished films: what changed, when polling stops, permissions."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from diagnosis.models import Prediction, Study
from tests.support.cast import Cast

STOP = 286
NOBODY = uuid.UUID(int=7)


def ask(client: Client, *pending: str) -> Any:
    return client.post(reverse("study-states"), {"pending": ["", *pending]})


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    client.force_login(cast.alice)
    return client


def test_no_state_is_sent_while_nothing_changes(alice: Client, study: Study) -> None:
    response = ask(alice, f"{study.uid}:queued")
    assert response.status_code == 200
    assert response.content.strip() == b""


def test_a_film_that_is_now_being_analysed_is_sent(alice: Client, study: Study) -> None:
    study.predictions.update(status=Prediction.Status.RUNNING)
    response = ask(alice, f"{study.uid}:queued")
    assert response.status_code == 200
    assert f'id="state-{study.uid}" hx-swap-oob="true"' in response.content.decode()
    assert f"{study.uid}:running" in response.content.decode()


def test_a_result_is_sent_and_announced_and_polling_stops(alice: Client, finished_study: Study) -> None:
    response = ask(alice, f"{finished_study.uid}:running")
    text = " ".join(response.content.decode().split())
    assert response.status_code == STOP
    assert "Above the operating point" in text
    assert "78%" in text
    assert f"{finished_study.reference}: Above the operating point, 78%." in text
    assert 'name="pending"' not in text


def test_a_failed_analysis_is_announced(alice: Client, study: Study) -> None:
    study.predictions.update(status=Prediction.Status.FAILED, failure_code="gave_up")
    response = ask(alice, f"{study.uid}:running")
    assert response.status_code == STOP
    assert f"{study.reference}: the reading failed." in " ".join(response.content.decode().split())


def test_polling_stops_when_a_film_waits_too_long(alice: Client, study: Study) -> None:
    study.predictions.update(queued_at=timezone.now() - timedelta(minutes=16))
    assert ask(alice, f"{study.uid}:queued").status_code == STOP


def test_states_of_films_of_others_are_not_sent(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.otto)
    response = ask(client, f"{finished_study.uid}:running")
    assert response.status_code == STOP
    assert response.content.strip() == b""


@pytest.mark.parametrize("pending", ["", "x", "x:y", str(NOBODY), f"{NOBODY}:queued", ":" * 50])
def test_invalid_input_is_ignored(alice: Client, pending: str) -> None:
    assert ask(alice, pending).status_code == STOP


def test_a_visitor_is_sent_to_sign_in(client: Client) -> None:
    response = ask(client)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("login"))


def test_many_films_take_no_more_queries_than_one(alice: Client, study: Study) -> None:
    with CaptureQueriesContext(connection) as one:
        ask(alice, f"{study.uid}:running")
    uids = [str(study.uid)]
    for number in range(20):
        copy = Study.objects.get(pk=study.pk)
        copy.pk, copy.uid, copy.sha256 = None, uuid.uuid4(), f"{number:064x}"
        copy.save(force_insert=True)
        Prediction.objects.create(
            study=copy, model_version=study.predictions.get().model_version, requested_by=copy.uploaded_by
        )
        uids.append(str(copy.uid))
    with CaptureQueriesContext(connection) as many:
        response = ask(alice, *(f"{uid}:running" for uid in uids))
    assert response.content.decode().count("hx-swap-oob") == 21
    assert len(many) == len(one)
