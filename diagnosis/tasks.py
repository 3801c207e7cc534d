"""Celery's doors: parse the id, call one verb."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from diagnosis import health
from diagnosis import reconcile as reconciler
from diagnosis.prediction import run_prediction, warm_up


@shared_task(name="diagnosis.tasks.predict")
def predict(prediction_uid: str) -> None:
    """Read one film."""
    run_prediction(prediction_uid=prediction_uid)
    health.worker_seen(loaded_version=warm_up())


@shared_task(name="diagnosis.tasks.reconcile")
def reconcile() -> None:
    """Ring again for films that wait unattended."""
    reconciler.reconcile()


@shared_task(name="diagnosis.tasks.heartbeat")
def heartbeat() -> None:
    """Prove that this worker really works: load the model if need be and sign the row."""
    health.worker_seen(loaded_version=warm_up())


@worker_ready.connect
def on_worker_ready(**kwargs: Any) -> None:
    """Load the model and look for lost films at once, in the child: never build a network before fork."""
    heartbeat.delay()
    reconcile.delay()
