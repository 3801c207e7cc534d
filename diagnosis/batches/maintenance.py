"""Periodic maintenance of batches: resumes, closes and finishes them, deletes archives without a use."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from audit import trail
from diagnosis import leases, notifications
from diagnosis.batches.service import ARCHIVE_FOLDER, close_batch
from diagnosis.inference import dispatch
from diagnosis.models import Batch, BatchItem, Prediction

logger = logging.getLogger(__name__)
State, Outcome = Batch.State, BatchItem.Outcome

_STRAY_AFTER = timedelta(hours=1)
_ABANDONED_AFTER = timedelta(hours=24)  # without a film, a batch that is still being sent is closed


def maintain_batches() -> None:
    """Resume unattended archives, close abandoned batches, delete spent archives, finish analysed batches."""
    now = timezone.now()
    waiting_since = now - timedelta(seconds=settings.RECONCILE_QUEUED_AFTER_SECONDS)
    unattended = Q(lease_token=None, touched_at__lt=waiting_since) | leases.expired()
    for batch in Batch.objects.filter(unattended, state=State.UNPACKING):
        dispatch.enqueue_unpacking(str(batch.uid))
    for batch in Batch.objects.filter(state=State.RECEIVING, touched_at__lt=now - _ABANDONED_AFTER):
        close_batch(actor=None, batch=batch)
    for batch in Batch.objects.exclude(archive="").exclude(state=State.UNPACKING):
        delete_archive(batch=batch)
    _sweep_archives(now - _STRAY_AFTER)
    for batch in Batch.objects.filter(state=State.ANALYSING).select_related("created_by", "project"):
        if not _unfinished_predictions(batch).exists():
            _finish(batch)


def _sweep_archives(before: datetime) -> None:
    """Delete archives without a batch: their process was killed between storing the file and its rows."""
    try:
        folders, _files = default_storage.listdir(ARCHIVE_FOLDER)
    except OSError:  # there was none yet, or the store does not answer
        return
    known = set(Batch.objects.exclude(archive="").values_list("archive", flat=True)) if folders else set()
    for folder in folders:
        for name in default_storage.listdir(f"{ARCHIVE_FOLDER}/{folder}")[1]:
            path = f"{ARCHIVE_FOLDER}/{folder}/{name}"
            if path not in known and default_storage.get_modified_time(path) < before:
                default_storage.delete(path)


def _unfinished_predictions(batch: Batch) -> QuerySet[Prediction]:
    """Return the queued and running predictions of the batch's films."""
    unfinished = [Prediction.Status.QUEUED, Prediction.Status.RUNNING]
    return Prediction.objects.filter(study__batch_items__batch=batch, status__in=unfinished)


def _newest_predictions(batch: Batch) -> QuerySet[Prediction]:
    """Return the newest prediction of each of the batch's films."""
    newest = Prediction.objects.filter(study=OuterRef("study")).order_by("-pk").values("pk")[:1]
    films = batch.items.filter(study__isnull=False).values("study")
    return Prediction.objects.filter(study__in=films, pk=Subquery(newest))


def _finish(batch: Batch) -> None:
    with transaction.atomic():
        still_open = Batch.objects.filter(pk=batch.pk, state=State.ANALYSING)
        if still_open.update(state=State.FINISHED, finished_at=timezone.now()):
            facts = final_counts(batch)
            trail.record(actor=None, verb="batch_finished", target=batch, **facts)
            notifications.batch_finished(batch=batch, facts=facts)


def final_counts(batch: Batch) -> dict[str, int]:
    """Count the batch's files by outcome, and the films whose analysis failed; holds no AI result."""
    rows = batch.items.order_by().values_list("outcome").annotate(Count("pk"))
    counts: dict[str, int] = dict.fromkeys(Outcome.values, 0) | dict(rows)
    counts["missing"] = max(0, (batch.expected or 0) - sum(counts.values()))
    counts["failed"] = _newest_predictions(batch).filter(status=Prediction.Status.FAILED).count()
    return counts


def delete_archive(*, batch: Batch) -> None:
    """Delete the ZIP of a batch that no longer needs it."""
    try:
        default_storage.delete(batch.archive)
    except OSError:
        logger.exception("An archive could not be deleted; the next pass tries again.")
        return
    Batch.objects.filter(pk=batch.pk).update(archive="")
