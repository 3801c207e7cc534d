"""The probes: /health with the members that the first version had, liveness and readiness."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.test import APIClient

from diagnosis.inference import health
from diagnosis.models import ModelVersion, WorkerStatus


@pytest.fixture
def worker(active_model: ModelVersion) -> WorkerStatus:
    now = timezone.now()
    return WorkerStatus.objects.create(
        name="w:1", last_seen_at=now, started_at=now, loaded_version=active_model.version
    )


@pytest.fixture
def broken_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "_ask", refuse)


def get(path: str) -> Any:
    return APIClient().get(path)


def test_health_has_the_first_versions_members(worker: WorkerStatus, settings: Any) -> None:
    answer = get("/health").json()
    seed = {"status": "healthy", "model_loaded": True, "gradcam_enabled": True, "api_version": "2.0"}
    assert {name: answer[name] for name in seed} == seed
    assert answer["model_version"] == "test-model"
    assert answer["sentence"] == "Everything is working."
    assert answer["disclaimer"] == settings.DISCLAIMER


def test_health_reports_a_missing_worker(active_model: ModelVersion) -> None:
    response = get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["model_loaded"] is False
    assert response.json()["worker_alive"] is False


def test_health_counts_waiting_films(study: Any) -> None:
    assert get("/health").json()["queue_waiting"] == 1


def test_ready_when_everything_is(worker: WorkerStatus) -> None:
    response = get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "ready"


def test_not_ready_without_worker(active_model: ModelVersion) -> None:
    response = get("/readyz")
    assert response.status_code == 503
    assert (response.json()["worker"], response.json()["database"]) == (False, True)


def test_not_ready_while_the_worker_has_another_model(worker: WorkerStatus) -> None:
    WorkerStatus.objects.update(loaded_version="older")
    response = get("/readyz")
    assert response.status_code == 503
    assert (response.json()["worker"], response.json()["model"]) == (True, False)


@pytest.mark.usefixtures("broken_database")
def test_without_a_database_health_is_503_and_liveness_still_200() -> None:
    assert get("/health").status_code == 503
    assert get("/health").json()["status"] == "unhealthy"
    assert get("/readyz").status_code == 503
    assert get("/healthz").json()["status"] == "ok"


def test_a_wrong_token_does_not_hide_the_answer(worker: WorkerStatus) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token nonsense")
    assert client.get("/health").status_code == 200
