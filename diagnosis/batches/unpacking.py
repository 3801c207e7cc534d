"""Unpacks a batch's ZIP in short steps; interrupted at any point, it resumes where it was."""

import hashlib
import logging
import time

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import trail
from core.errors import FilmRefused, NotAllowed, Refused
from diagnosis import leases
from diagnosis.batches import maintenance, service
from diagnosis.inference import dispatch
from diagnosis.intake.archives import ArchiveRefused, ZipArchive
from diagnosis.leases import Claim
from diagnosis.models import Batch, BatchItem
from diagnosis.studies.subject_codes import code_in_name

logger = logging.getLogger(__name__)
_FILES_PER_STEP = 100
State, Outcome = Batch.State, BatchItem.Outcome


def unpack_batch(*, batch_uid: str) -> None:
    """Ingest films for BATCH_STEP_SECONDS, then enqueue the next step behind the films that are waiting.

    Each file's outcome is stored separately, so nothing is lost or done twice wherever a step ends. A file
    that three workers did not survive is refused. While something on our side is missing (disk, model) the
    batch waits.
    """
    claim = _claim(batch_uid)
    if claim is None:
        return
    try:
        more = _step(claim)
    except Refused as refusal:
        logger.warning("Batch %s waits: %s", claim.row.reference, refusal.code)
        leases.release(claim, trouble=refusal.message[:300], attempts=0)
    except Exception:
        logger.exception("Batch %s: a step failed", claim.row.reference)
        leases.release(claim)
    else:
        if more and leases.release(claim, attempts=0):
            dispatch.enqueue_unpacking(batch_uid)


def _claim(batch_uid: str) -> Claim[Batch] | None:
    rows = Batch.objects.filter(uid=batch_uid).select_related("project", "created_by")
    free = Q(state=State.UNPACKING) & (Q(lease_token=None) | leases.expired())
    return leases.claim(rows, free, seconds=settings.BATCH_LEASE_SECONDS, touched_at=timezone.now())


def _step(claim: Claim[Batch]) -> bool:
    """Ingest as many files as the step's time allows; return whether there are more."""
    batch, until = claim.row, time.monotonic() + settings.BATCH_STEP_SECONDS
    waiting = (
        batch.items.filter(outcome=Outcome.WAITING)
        .select_related("batch__project", "batch__site")
        .order_by("position")
    )
    if batch.attempts > settings.PREDICTION_MAX_ATTEMPTS:
        _give_up(waiting.first())
    try:
        with default_storage.open(batch.archive, "rb") as file:
            archive = ZipArchive(file)
            for item in waiting[:_FILES_PER_STEP]:
                _ingest(batch, archive, item)
                if not _renew(claim):
                    return False
                if time.monotonic() > until:
                    break
    except (FileNotFoundError, ArchiveRefused):
        logger.exception("Batch %s: the archive is missing or damaged", batch.reference)
        message = _(
            "The archive could not be read any more. Send it again: films that are in are recognised."
        )
        _refuse_the_rest(batch, "archive_lost", message)
    except NotAllowed as refusal:  # the person who began the batch may no longer upload here
        _refuse_the_rest(batch, refusal.code, refusal.message)
    if waiting.exists():
        return True
    _close(claim)
    return False


def _ingest(batch: Batch, archive: ZipArchive, item: BatchItem) -> None:
    try:
        code = code_in_name(archive.name(item.position)) if batch.codes_from_names else ""
        data = archive.read(item.position)
    except FilmRefused as refusal:
        service.reject_item(item=item, code=refusal.code, message=refusal.message)
        return
    item.sha256 = hashlib.sha256(data).hexdigest()
    service.ingest_item(actor=batch.created_by, item=item, data=data, subject_code=code)


def _give_up(item: BatchItem | None) -> None:
    if item is not None:
        message = _("This file could not be taken in in three attempts. Send it by itself.")
        service.reject_item(item=item, code="gave_up", message=message)


def _refuse_the_rest(batch: Batch, code: str, message: str) -> None:
    for item in batch.items.filter(outcome=Outcome.WAITING):
        service.reject_item(item=item, code=code, message=message)


def _renew(claim: Claim[Batch]) -> bool:
    """Renew the lease after each file; False when a later worker has taken over."""
    return leases.renew(
        claim, seconds=settings.BATCH_LEASE_SECONDS, touched_at=timezone.now(), attempts=1, trouble=""
    )


def _close(claim: Claim[Batch]) -> None:
    """Every file has its outcome: delete the archive and leave the films to the analysis."""
    with transaction.atomic():
        closed = leases.release(
            claim, state=State.ANALYSING, trouble="", attempts=0, touched_at=timezone.now()
        )
        if closed:
            trail.record(actor=None, verb="batch_unpacked", target=claim.row)
    if closed:
        maintenance.delete_archive(batch=claim.row)
