"""Errors that belong to no address in particular."""

from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from diagnosis.api import studies
from diagnosis.models import ModelVersion
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize(
    "path",
    ["/api/", "/api", "/api/v1/", "/api/v2/studies/", "/api/v1/studies/not-a-uuid/", "/api/v1/models/a/b/"],
)
def test_an_unknown_address_is_a_problem_whatever_the_method(db: None, method: str, path: str) -> None:
    assert_problem(getattr(APIClient(), method)(path), 404, "not_found")


def test_a_missing_slash_at_the_end_is_said(db: None) -> None:
    problem = assert_problem(APIClient().post("/api/v1/studies"), 404, "not_found")
    assert "end with a slash" in problem["detail"]


def test_a_fault_of_ours_is_500_without_details(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(request: Any) -> None:
        raise RuntimeError("secret /srv/path")

    monkeypatch.setattr(studies, "submit", stumble)
    response = client_of(cast.alice).post("/api/v1/studies/", {"file": film_upload()})
    problem = assert_problem(response, 500)
    assert "secret" not in response.content.decode()
    assert "administrator" in problem["detail"]


def test_a_database_that_cannot_be_used_is_503_and_the_log_says_why(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(request: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(studies, "submit", full)
    response = client_of(cast.alice).post("/api/v1/studies/", {"file": film_upload()})
    assert_problem(response, 503, "database_unavailable")
    assert "disk is full" not in response.content.decode()
    assert "disk is full" in caplog.text


@pytest.mark.parametrize("debug", [True, False])
def test_a_wrong_method_is_405_and_the_right_ones_are_named(cast: Cast, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    response = client_of(cast.alice).put("/api/v1/studies/")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_an_answer_that_cannot_be_given_is_406(cast: Cast) -> None:
    response = client_of(cast.alice).get("/api/v1/studies/", headers={"Accept": "application/xml"})
    assert_problem(response, 406, "not_acceptable")


def test_uploads_are_throttled_by_person_and_reading_is_not(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"upload": "2/min", "login": "2/min"})
    client = client_of(cast.alice)
    for _ in range(2):
        client.post("/api/v1/studies/", {}, format="json")
    response = client.post("/predict", {}, format="json")
    assert_problem(response, 429, "throttled")
    assert int(response["Retry-After"]) > 0
    assert client.get("/api/v1/studies/").status_code == 200
    assert_problem(client_of(cast.adam).post("/predict", {}, format="json"), 400)
