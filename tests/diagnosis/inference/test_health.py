"""Health is judged by heartbeats that only completed work records."""

from datetime import timedelta

import pytest
from django.utils import timezone

from diagnosis.inference import health
from diagnosis.inference.health import check_health, record_heartbeat, record_heartbeat_if_due
from diagnosis.models import ModelVersion, Study, WorkerStatus


def test_without_a_worker_health_is_degraded_and_says_that_films_are_kept(active_model: ModelVersion) -> None:
    found = check_health()
    assert (found.status, found.worker_alive, found.model_loaded) == ("degraded", False, False)
    assert "kept" in found.sentence


def test_with_a_worker_that_loaded_the_active_model_health_is_healthy(active_model: ModelVersion) -> None:
    record_heartbeat(loaded_version=active_model.version)
    assert check_health().status == "healthy"


def test_a_worker_with_another_version_has_not_loaded_the_model(active_model: ModelVersion) -> None:
    record_heartbeat(loaded_version="another")
    found = check_health()
    assert (found.worker_alive, found.model_loaded, found.status) == (True, False, "degraded")


def test_a_worker_silent_for_a_minute_is_not_alive(active_model: ModelVersion) -> None:
    record_heartbeat(loaded_version=active_model.version)
    WorkerStatus.objects.update(last_seen_at=timezone.now() - timedelta(seconds=61))
    assert not check_health().worker_alive


def test_health_counts_the_waiting_films_and_the_longest_wait(study: Study) -> None:
    study.predictions.update(queued_at=timezone.now() - timedelta(seconds=90))
    found = check_health()
    assert found.waiting == 1
    assert 89 < found.oldest_wait_seconds < 100


def test_a_worker_has_one_row_however_many_heartbeats_it_records(db: None) -> None:
    for _ in range(3):
        record_heartbeat(loaded_version="v")
    assert WorkerStatus.objects.count() == 1


def test_a_busy_worker_records_its_heartbeat_every_few_seconds_and_not_after_every_film(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded: list[str] = []
    monkeypatch.setattr(health, "_interval", health._HeartbeatInterval())
    monkeypatch.setattr(health, "record_heartbeat", lambda *, loaded_version: recorded.append(loaded_version))
    for moment in (0.0, 0.2, 4.9, 5.1, 9.0):
        monkeypatch.setattr(health, "monotonic", lambda moment=moment: moment)
        record_heartbeat_if_due(lambda: "version")
    assert recorded == ["version"] * 2
