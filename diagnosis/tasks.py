"""Celery tasks: each parses the id and calls one service."""

import logging
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from audit import trail
from diagnosis import notifications
from diagnosis.batches.maintenance import maintain_batches
from diagnosis.batches.unpacking import unpack_batch
from diagnosis.inference import health
from diagnosis.inference import reconcile as reconciler
from diagnosis.inference.predictors import warm_up
from diagnosis.inference.prefetch import Prefetcher
from diagnosis.inference.worker import run_prediction
from diagnosis.studies import trash

log = logging.getLogger(__name__)
_prefetcher = Prefetcher()


@shared_task(name="diagnosis.tasks.predict")
def predict(prediction_uid: str) -> None:
    """Analyse one film."""
    run_prediction(prediction_uid=prediction_uid, prefetcher=_prefetcher)
    health.record_heartbeat_if_due(warm_up)


@shared_task(name="diagnosis.tasks.reconcile")
def reconcile() -> None:
    """Send again for unattended films, and maintain batches."""
    reconciler.reconcile()
    maintain_batches()


@shared_task(name="diagnosis.tasks.unpack")
def unpack(batch_uid: str) -> None:
    """Unpack some films of a batch's archive."""
    unpack_batch(batch_uid=batch_uid)


@shared_task(name="reading.tasks.purge_trash")  # the name in the schedule and in queued messages
def purge_trash() -> None:
    """Delete what has been in the trash long enough."""
    trash.purge_trash()


@shared_task(name="diagnosis.tasks.mail")
def mail() -> None:
    """Send the e-mails that are due."""
    notifications.send_mail_due()


@shared_task(name="diagnosis.tasks.heartbeat")
def heartbeat() -> None:
    """Load the model if it is not loaded yet, and record the worker's heartbeat."""
    health.record_heartbeat(loaded_version=warm_up())


@shared_task(name="diagnosis.tasks.export_audit_head")
def export_audit_head() -> None:
    """Export the head of the audit trail, or log that the trail is broken."""
    report = trail.export_head(folder=Path(settings.VAR_DIR) / "audit")
    if not report.is_whole:
        log.error("The audit trail is NOT whole. Event %s: %s.", report.broken_at, report.reason)


@worker_ready.connect
def on_worker_ready(**kwargs: Any) -> None:
    """Load the model and reconcile at once, in the child: never build a network before a fork."""
    heartbeat.delay()
    reconcile.delay()
