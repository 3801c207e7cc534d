"""Takes the films out of a batch's ZIP, a few at a time; stopped anywhere, it goes on where it was."""

import hashlib
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import trail
from core.errors import FilmRefused, NotAllowed, Refused
from diagnosis.batches import service as batches
from diagnosis.inference import dispatch
from diagnosis.intake.archives import ArchiveRefused, FilmArchive
from diagnosis.models import Batch, BatchItem
from diagnosis.studies.subject_codes import code_in_name

logger = logging.getLogger(__name__)
_FILES_PER_STEP = 100
State, Outcome = Batch.State, BatchItem.Outcome


@dataclass(frozen=True)
class Claim:
    """The right to unpack one batch until the lease runs out."""

    batch: Batch
    token: uuid.UUID


def unpack_batch(*, batch_uid: str) -> None:
    """Take films in for BATCH_STEP_SECONDS, then ring for the next step, behind the films that are waiting.

    Each file gets its outcome by itself, so nothing is lost or done twice wherever a step ends. A file that
    three workers did not survive is refused. While something on our side is missing (disk, model) the batch
    waits.
    """
    claim = _claimed(batch_uid)
    if claim is None:
        return
    try:
        more = _step(claim)
    except Refused as trouble:
        logger.warning("Batch %s waits: %s", claim.batch.reference, trouble.code)
        _release(claim, trouble=trouble.message[:300], attempts=0)
    except Exception:
        logger.exception("Batch %s: a step failed", claim.batch.reference)
        _release(claim)
    else:
        if more and _release(claim, attempts=0):
            dispatch.ring_batch(batch_uid)


def _claimed(batch_uid: str) -> Claim | None:
    now, token = timezone.now(), uuid.uuid4()
    free = Q(lease_token=None) | Q(lease_expires_at__lt=now)
    taken = Batch.objects.filter(free, uid=batch_uid, state=State.UNPACKING).update(
        attempts=F("attempts") + 1, lease_token=token, lease_expires_at=_lease_end(), touched_at=now
    )
    if not taken:
        return None
    return Claim(Batch.objects.select_related("project", "created_by").get(uid=batch_uid), token)


def _step(claim: Claim) -> bool:
    """Take in as many files as the step's time allows; return whether there are more."""
    batch, until = claim.batch, time.monotonic() + settings.BATCH_STEP_SECONDS
    waiting = (
        batch.items.filter(outcome=Outcome.WAITING)
        .select_related("batch__project", "batch__site")
        .order_by("position")
    )
    if batch.attempts > settings.PREDICTION_MAX_ATTEMPTS:
        _give_up(waiting.first())
    try:
        with default_storage.open(batch.archive, "rb") as file:
            archive = FilmArchive(file)
            for item in waiting[:_FILES_PER_STEP]:
                _take_in(batch, archive, item)
                if not _renewed(claim):
                    return False
                if time.monotonic() > until:
                    break
    except (FileNotFoundError, ArchiveRefused):
        logger.exception("Batch %s: the archive is gone or damaged", batch.reference)
        message = _(
            "The archive could not be read any more. Send it again: films that are in are recognised."
        )
        _refuse_the_rest(batch, "archive_lost", message)
    except NotAllowed as refusal:  # who began the batch may not upload here any more
        _refuse_the_rest(batch, refusal.code, refusal.message)
    if waiting.exists():
        return True
    _close(claim)
    return False


def _take_in(batch: Batch, archive: FilmArchive, item: BatchItem) -> None:
    try:
        code = code_in_name(archive.name(item.position)) if batch.codes_from_names else ""
        data = archive.read(item.position)
    except FilmRefused as refusal:
        batches.refuse(item=item, code=refusal.code, message=refusal.message)
        return
    item.sha256 = hashlib.sha256(data).hexdigest()
    batches.settle(actor=batch.created_by, item=item, data=data, subject_code=code)


def _give_up(item: BatchItem | None) -> None:
    if item is not None:
        message = _("This file could not be taken in in three attempts. Send it by itself.")
        batches.refuse(item=item, code="gave_up", message=message)


def _refuse_the_rest(batch: Batch, code: str, message: str) -> None:
    for item in batch.items.filter(outcome=Outcome.WAITING):
        batches.refuse(item=item, code=code, message=message)


def _lease_end() -> object:
    return timezone.now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS)


def _ours(claim: Claim) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=claim.batch.pk, state=State.UNPACKING, lease_token=claim.token)


def _renewed(claim: Claim) -> bool:
    """Keep the lease after each file; False when a later worker has taken over."""
    now = timezone.now()
    kept = _ours(claim).update(lease_expires_at=_lease_end(), touched_at=now, attempts=1, trouble="")
    return bool(kept)


def _release(claim: Claim, **columns: object) -> bool:
    return bool(_ours(claim).update(lease_token=None, lease_expires_at=None, **columns))


def _close(claim: Claim) -> None:
    """Every file has its outcome: the archive goes, the films are read."""
    with transaction.atomic():
        closed = _release(claim, state=State.READING, trouble="", attempts=0, touched_at=timezone.now())
        if closed:
            trail.record(actor=None, verb="batch_unpacked", target=claim.batch)
    if closed:
        batches.drop_archive(batch=claim.batch)
