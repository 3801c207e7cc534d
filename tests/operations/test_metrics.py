"""/metrics: 404 without a token, the right values with it, and none that depends on an AI result."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from diagnosis.inference import dispatch
from diagnosis.inference.health import record_heartbeat
from diagnosis.models import ModelVersion, Prediction, Study, WorkerStatus
from operations import metrics
from tests.support.cast import Cast

TOKEN = "5f0c" * 8
OPEN = {"Authorization": f"Bearer {TOKEN}"}
Samples = dict[tuple[str, str], float]


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client) -> Samples:
    """Return every sample by its name and the value of its one label."""
    answer = client.get("/metrics", headers=OPEN)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, "/".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_without_a_token_in_the_settings_everybody_gets_404(client: Client, db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for sent in ({}, {"Authorization": "Bearer "}, OPEN):
        assert client.get("/metrics", headers=sent).status_code == 404


@pytest.mark.parametrize("sent", ["", "Bearer ", TOKEN, f"Bearer {TOKEN}0", f"Token {TOKEN}", "Bearer é"])
def test_another_token_is_refused(client: Client, db: None, sent: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert b"pneumoweb_" not in answer.content


def test_writing_methods_are_refused(client: Client, db: None) -> None:
    assert client.post("/metrics", headers=OPEN).status_code == 405


def test_an_empty_installation_has_no_workers(client: Client, db: None) -> None:
    samples = scrape(client)
    assert samples["pneumoweb_database_up", ""] == 1
    assert samples["pneumoweb_workers_alive", ""] == 0
    assert ("pneumoweb_worker_last_seen_seconds", "") not in samples
    assert samples["pneumoweb_predictions", "queued"] == 0
    assert samples["pneumoweb_media_free_bytes", ""] > 0
    assert samples["process_resident_memory_bytes", ""] > 0


def test_predictions_are_counted_by_state(
    client: Client, finished_study: Study, active_model: ModelVersion, cast: Cast
) -> None:
    for code in ("gave_up", "unreadable"):
        Prediction.objects.create(
            study=finished_study,
            model_version=active_model,
            requested_by=cast.alice,
            status="failed",
            failure_code=code,
        )
    samples = scrape(client)
    states = {state: samples["pneumoweb_predictions", state] for state in Prediction.Status.values}
    assert states == {"queued": 0, "running": 0, "succeeded": 1, "failed": 2}


def test_waiting_films_and_the_longest_wait(client: Client, study: Study) -> None:
    Prediction.objects.update(queued_at=timezone.now() - timedelta(seconds=90))
    samples = scrape(client)
    assert samples["pneumoweb_predictions", "queued"] == 1
    assert 90 <= samples["pneumoweb_queue_oldest_seconds", ""] < 120


def test_a_living_worker_and_a_silent_one(client: Client, active_model: ModelVersion) -> None:
    record_heartbeat(loaded_version=active_model.version)
    samples = scrape(client)
    assert (samples["pneumoweb_workers_alive", ""], samples["pneumoweb_model_loaded", ""]) == (1, 1)
    WorkerStatus.objects.update(last_seen_at=timezone.now() - timedelta(minutes=5))
    samples = scrape(client)
    assert (samples["pneumoweb_workers_alive", ""], samples["pneumoweb_model_loaded", ""]) == (0, 0)
    assert 300 <= samples["pneumoweb_worker_last_seen_seconds", ""] < 330


def test_the_time_to_a_result_counts_the_films_of_the_last_hour(
    client: Client, finished_study: Study
) -> None:
    now = timezone.now()
    Prediction.objects.update(queued_at=now - timedelta(seconds=4), finished_at=now)
    samples = scrape(client)
    bucket = "pneumoweb_result_seconds_bucket"
    assert [samples[bucket, bound] for bound in ("2", "5", "+Inf")] == [0, 1, 1]
    assert samples["pneumoweb_result_seconds_gsum", ""] == pytest.approx(4)
    Prediction.objects.update(queued_at=now - timedelta(hours=3), finished_at=now - timedelta(hours=2))
    assert scrape(client)[bucket, "+Inf"] == 0


def test_failures_of_the_last_hour_by_their_code(client: Client, study: Study) -> None:
    failed = {"status": "failed", "failure_code": "gave_up", "finished_at": timezone.now()}
    Prediction.objects.update(**failed)
    assert scrape(client)["pneumoweb_failed_recently", "gave_up"] == 1


def test_a_broker_that_failed_shows(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_breaker", dispatch._CircuitBreaker())
    assert scrape(client)["pneumoweb_broker_paused", ""] == 0
    dispatch._breaker.trip()
    assert scrape(client)["pneumoweb_broker_paused", ""] == 1


def test_requests_are_counted_by_route_never_by_address(client: Client, db: None) -> None:
    counted = ("pneumoweb_http_requests_total", "GET/none/404")
    before = scrape(client).get(counted, 0)
    client.get("/nothing/1/")
    client.get("/nothing/2/")
    samples = scrape(client)
    assert samples[counted] == before + 2
    assert not any("nothing" in labels for _, labels in samples)


def test_without_a_database_it_still_answers_and_reports_that(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise DatabaseError

    monkeypatch.setattr("diagnosis.inference.health._ask", gone)
    samples = scrape(client)
    assert samples["pneumoweb_database_up", ""] == 0
    assert ("pneumoweb_workers_alive", "") not in samples


def test_a_database_lost_between_two_queries_costs_only_its_metrics(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise DatabaseError

    monkeypatch.setattr(metrics, "_trail", gone)
    assert ("pneumoweb_workers_alive", "") not in scrape(client)


def test_no_metric_depends_on_ai_results(client: Client, finished_study: Study) -> None:
    def values() -> set[str]:
        answer = client.get("/metrics", headers=OPEN).content.decode()
        changing = ("http_request", "process_", "media_free", "_seconds")
        return {line for line in answer.splitlines() if not any(word in line for word in changing)}

    high = values()
    Prediction.objects.update(calibrated_probability=0.01, outcome="normal", logit=-4.0, cam_strength=0.1)
    assert values() == high


def test_a_scrape_needs_few_queries(client: Client, finished_study: Study) -> None:
    with CaptureQueriesContext(connection) as queries:
        scrape(client)
    assert len(queries) <= 10
