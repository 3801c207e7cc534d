"""Metrics for Prometheus, read from the database at each scrape; none depends on an AI result."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from audit.models import AuditHead
from core.database_errors import UNREACHABLE
from core.request_metrics import ANSWERED, SECONDS
from diagnosis.inference import dispatch
from diagnosis.inference.health import Health, check_health
from diagnosis.models import Prediction, WorkerStatus

RECENT = timedelta(hours=1)
MOST_AN_HOUR = 20_000  # one worker analyses half as many
BUCKETS = (1, 2, 5, 10, 30, 60, 300, 1800)  # seconds from the upload to the result
Status = Prediction.Status


def metrics_text() -> str:
    """Return all metrics in Prometheus's text format, version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several web processes: their counts are added up
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(ANSWERED)
        registry.register(SECONDS)
        ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


class _Installation:
    """Collects the metrics of the whole installation, the same in every web process."""

    def collect(self) -> Iterator[Metric]:
        """Yield each metric; without a database only those that need none."""
        health = check_health()
        yield _gauge("database_up", "1 when the database answers.", health.database_ok)
        yield _gauge(
            "broker_paused",
            "1 while this web process gives a broker that failed a rest.",
            dispatch.is_paused(),
        )
        yield from _media()
        if health.database_ok:
            try:
                metrics = [*_queue(health), *_workers(health), *_recent(), *_trail()]
            except UNREACHABLE:  # lost between two queries: the next scrape reports it
                return
            yield from metrics


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pneumoweb_{name}", text, value=float(value))


def _media() -> Iterator[Metric]:
    folder = settings.MEDIA_ROOT if settings.MEDIA_ROOT.is_dir() else settings.VAR_DIR
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    yield _gauge("media_free_bytes", "Room left on the disk that holds the films.", free)


def _queue(health: Health) -> Iterator[Metric]:
    states = GaugeMetricFamily("pneumoweb_predictions", "Predictions in each state.", labels=["status"])
    for status, count in _by_status().items():
        states.add_metric([status], count)
    yield states
    yield _gauge(
        "queue_oldest_seconds", "How long the film that waits longest has waited.", health.oldest_wait_seconds
    )


def _by_status() -> dict[str, int]:
    """Count predictions by state; those that succeeded, nearly all, are the total less the others."""
    others = [status for status in Status.values if status != Status.SUCCEEDED]
    found = dict.fromkeys(Status.values, 0)
    counted = Prediction.objects.filter(status__in=others).order_by().values_list("status")
    found.update(counted.annotate(Count("pk")))
    found[Status.SUCCEEDED] = max(0, Prediction.objects.count() - sum(found.values()))
    return found


def _workers(health: Health) -> Iterator[Metric]:
    now = timezone.now()
    since = now - timedelta(seconds=settings.WORKER_SILENT_AFTER_SECONDS)
    seen = WorkerStatus.objects.aggregate(
        last=Max("last_seen_at"), alive=Count("pk", filter=Q(last_seen_at__gte=since))
    )
    yield _gauge("workers_alive", "Workers that worked within the last minute.", seen["alive"])
    yield _gauge("model_loaded", "1 when a living worker has the active model loaded.", health.model_loaded)
    if seen["last"] is not None:
        age = max(0.0, (now - seen["last"]).total_seconds())
        yield _gauge("worker_last_seen_seconds", "Seconds since a worker's last sign of life.", age)


def _recent() -> Iterator[Metric]:
    """Durations and failures of the predictions that finished within the last hour."""
    newest = Prediction.objects.aggregate(newest=Max("pk"))["newest"] or 0
    lately = Prediction.objects.filter(pk__gt=newest - MOST_AN_HOUR)  # there is no index on finished_at
    finished = lately.filter(finished_at__gte=timezone.now() - RECENT)
    took = F("finished_at") - F("queued_at")
    within = {
        f"within_{bound}": Count("pk", filter=Q(took__lte=timedelta(seconds=bound))) for bound in BUCKETS
    }
    succeeded = finished.filter(status=Status.SUCCEEDED).annotate(took=took)
    totals = succeeded.aggregate(every=Count("pk"), total=Sum("took"), **within)
    buckets = [(str(bound), totals[f"within_{bound}"]) for bound in BUCKETS] + [("+Inf", totals["every"])]
    total = (totals["total"] or timedelta(0)).total_seconds()
    yield GaugeHistogramMetricFamily(
        "pneumoweb_result_seconds",
        "Seconds from upload to result, of the films that were read within the last hour.",
        buckets=buckets,
        gsum_value=total,
    )
    failed = GaugeMetricFamily(
        "pneumoweb_failed_recently", "Predictions that failed within the last hour.", labels=["code"]
    )
    codes = finished.filter(status=Status.FAILED).values_list("failure_code").annotate(Count("pk")).order_by()
    for code, count in codes:
        failed.add_metric([code], count)
    yield failed


def _trail() -> Iterator[Metric]:
    head = AuditHead.objects.filter(pk=1).first()
    if head is not None:
        yield CounterMetricFamily("pneumoweb_audit_events", "Events in the audit trail.", value=head.last_seq)
