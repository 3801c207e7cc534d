"""The reconciler: sends again for rows whose message or worker was lost; fails those out of attempts."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import trail
from diagnosis import leases, notifications
from diagnosis.inference import dispatch
from diagnosis.models import Prediction
from diagnosis.storage import journal

Status = Prediction.Status
_MESSAGES_PER_PASS = 50  # enough to keep workers busy until the next pass


def reconcile() -> int:
    """Fail rows without attempts left, send again for unattended ones; return the number of messages sent.

    Files that a killed upload left behind are removed too.
    """
    _give_up()
    waiting_since = timezone.now() - timedelta(seconds=settings.RECONCILE_QUEUED_AFTER_SECONDS)
    lost = Q(status=Status.QUEUED, queued_at__lt=waiting_since) | _abandoned()
    # Films of batches come last: many of them must not use up the messages of the others.
    waiting = Prediction.objects.filter(lost).order_by("in_batch", "queued_at").values_list("uid", "in_batch")
    sent = sum(
        dispatch.enqueue_batch_prediction(str(uid)) if in_batch else dispatch.enqueue_prediction(str(uid))
        for uid, in_batch in list(waiting[:_MESSAGES_PER_PASS])
    )
    journal.remove_leftovers()
    return sent


def _abandoned() -> Q:
    return Q(status=Status.RUNNING) & leases.expired()


def _give_up() -> None:
    """Mark rows as failed whose worker died at every attempt."""
    dead = Q(status=Status.QUEUED) | _abandoned()
    spent = Prediction.objects.filter(dead, attempts__gte=settings.PREDICTION_MAX_ATTEMPTS)
    for prediction in spent.select_related("model_version", "study", "requested_by"):
        with transaction.atomic():
            changed = spent.filter(pk=prediction.pk).update(
                status=Status.FAILED,
                failure_code="gave_up",
                finished_at=timezone.now(),
                **leases.NO_LEASE,
            )
            if changed:
                version = prediction.model_version.version
                trail.record(actor=None, verb="prediction_failed", target=prediction, model_version=version)
                notifications.film_failed(prediction=prediction)
