"""Batches of films: begin one, add films, close it. Every step may be repeated."""

import hashlib
import logging
import uuid
from collections.abc import Mapping
from typing import IO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_upload
from audit import trail
from core.errors import Conflict, NotAllowed, Refused
from core.users import AnyUser
from diagnosis.inference import dispatch
from diagnosis.intake.archives import Member, ZipArchive
from diagnosis.intake.submission import check_actor, storage_refusal, submit_study
from diagnosis.models import Batch, BatchItem, Project, Site
from diagnosis.studies.sites import check_site
from diagnosis.studies.subject_codes import check_code_from_name

logger = logging.getLogger(__name__)
State, Outcome = Batch.State, BatchItem.Outcome

ARCHIVE_FOLDER = "batches"


def may_change(user: AnyUser, batch: Batch) -> bool:
    """True for the person who began the batch: nobody else may add to it or close it."""
    return may_upload(user) and batch.created_by_id == user.pk


def begin_batch(
    *,
    actor: User,
    project: Project,
    expected: int | None = None,
    site: Site | None = None,
    codes_from_names: bool = False,
) -> Batch:
    """Begin a batch of films of one `site` that are sent one by one; `expected` is their number, if known.

    `codes_from_names`: each film is sent with the subject code that its file's name begins with. Raises
    NotAllowed, FilmRefused (`site_unknown`), or Conflict (`batch_too_many`) when it would be too large.
    """
    check_actor(actor=actor, project=project)
    check_site(project=project, site=site)
    if expected is not None and expected > settings.BATCH_MAX_FILES:
        raise _too_many()
    with transaction.atomic():
        batch = Batch.objects.create(
            project=project,
            site=site,
            codes_from_names=codes_from_names,
            created_by=actor,
            source=Batch.Source.FILES,
            state=State.RECEIVING,
            expected=expected,
        )
        trail.record(actor=actor, verb="batch_begun", target=batch, project=project.slug, source=batch.source)
    return batch


def begin_zip_batch(
    *,
    actor: User,
    project: Project,
    archive: IO[bytes],
    site: Site | None = None,
    codes_from_names: bool = False,
) -> Batch:
    """Store a ZIP archive of films of one `site` until a worker has unpacked it.

    `codes_from_names`: a film's subject code is its file's name up to the first underscore. When this
    returns, archive and rows are on disk.

    Raises NotAllowed, FilmRefused (`site_unknown`), ArchiveRefused, StorageFull or NotReady; then nothing
    is stored.
    """
    check_actor(actor=actor, project=project)
    check_site(project=project, site=site)
    members = ZipArchive(archive).members
    batch = Batch(
        uid=uuid.uuid4(),
        project=project,
        site=site,
        codes_from_names=codes_from_names,
        created_by=actor,
        source=Batch.Source.ZIP,
        state=State.UNPACKING,
        expected=len(members),
    )
    archive.seek(0)
    try:
        batch.archive = default_storage.save(f"{ARCHIVE_FOLDER}/{batch.uid}/archive.zip", File(archive))
    except OSError as error:
        logger.exception("An archive could not be written.")
        raise storage_refusal(error) from error
    try:
        _store_zip_rows(batch, members)
    except BaseException:
        _delete_archive_unless_stored(batch)
        raise
    transaction.on_commit(lambda: dispatch.enqueue_unpacking(str(batch.uid)))
    return batch


def _store_zip_rows(batch: Batch, members: list[Member]) -> None:
    with transaction.atomic():
        batch.save(force_insert=True)
        BatchItem.objects.bulk_create(
            BatchItem(batch=batch, position=member.position, byte_size=member.byte_size) for member in members
        )
        trail.record(
            actor=batch.created_by,
            verb="batch_begun",
            target=batch,
            project=batch.project.slug,
            source=batch.source,
            files=len(members),
        )


def _delete_archive_unless_stored(batch: Batch) -> None:
    try:
        stored = Batch.objects.filter(uid=batch.uid).exists()
    except DatabaseError:
        return  # unknown: the periodic maintenance deletes an archive without a row
    if not stored:
        default_storage.delete(batch.archive)


def add_film(*, actor: User, batch: Batch, data: bytes, subject_code: str = "") -> tuple[BatchItem, bool]:
    """Take one film into a batch that is still being sent; return its item, and whether this call stored it.

    A file that was sent before is recognised by its SHA-256: a stored film stays as it is, a refused one is
    tried again. An interrupted batch is therefore resumed by sending all of its files again. A refusal of
    the film is stored as its outcome; a temporary failure on our side is raised, and the item stays waiting.

    Raises NotAllowed, Conflict (`batch_closed`, `batch_too_many`), StorageFull or NotReady.
    """
    check_actor(actor=actor, project=batch.project)
    _check_owner(actor, batch)
    item = _item_for(batch, data)
    if item.is_in:
        return item, False
    ingest_item(actor=actor, item=item, data=data, subject_code=subject_code)
    return item, item.outcome == Outcome.ACCEPTED


def _item_for(batch: Batch, data: bytes) -> BatchItem:
    """Return the file's item, found by its content or appended."""
    sha256 = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        # The batch's row is locked, so that two films sent at once get two positions.
        locked = Batch.objects.select_for_update().get(pk=batch.pk)
        if locked.state != State.RECEIVING:
            raise Conflict("batch_closed", _("This batch is closed. Begin a new one."))
        Batch.objects.filter(pk=batch.pk).update(touched_at=timezone.now())
        known = batch.items.filter(sha256=sha256).first()
        if known is not None:
            return known
        last = batch.items.aggregate(last=Max("position"))["last"] or 0
        if last >= settings.BATCH_MAX_FILES:
            raise _too_many()
        return batch.items.create(position=last + 1, byte_size=len(data), sha256=sha256)


def ingest_item(*, actor: User, item: BatchItem, data: bytes, subject_code: str = "") -> None:
    """Store the file's film, new or known, or the reason of its own for which it is refused.

    Repeated after an interruption at any point it neither loses the film nor stores it twice. Raises
    refusals that are not the film's fault (temporary ones, a person who may no longer upload).
    """
    batch = item.batch
    try:
        if batch.codes_from_names:
            check_code_from_name(subject_code)
        done = submit_study(
            actor=actor,
            project=batch.project,
            site=batch.site,
            data=data,
            subject_code=subject_code,
            item=item,
        )
    except Refused as refusal:
        if refusal.is_temporary or isinstance(refusal, NotAllowed):
            raise
        reject_item(item=item, code=refusal.code, message=refusal.message, params=refusal.params)
        return
    if not done.created:
        item.study = done.study
        _record_outcome(item, Outcome.DUPLICATE)


def reject_item(
    *, item: BatchItem, code: str, message: str, params: Mapping[str, str | int] | None = None
) -> None:
    """Record that a file of a batch is refused, and why; `params` vary in a message of the decoder."""
    item.code, item.message, item.params = code[:60], message[:400], dict(params or {})
    _record_outcome(item, Outcome.REFUSED)


def _record_outcome(item: BatchItem, outcome: str) -> None:
    """Write the outcome, unless another worker or request has stored the film meanwhile."""
    still_open = BatchItem.objects.filter(pk=item.pk, outcome__in=[Outcome.WAITING, Outcome.REFUSED])
    changed = still_open.update(
        outcome=outcome,
        study=item.study,
        sha256=item.sha256,
        code=item.code if outcome == Outcome.REFUSED else "",
        message=item.message if outcome == Outcome.REFUSED else "",
        params=item.params if outcome == Outcome.REFUSED else {},
    )
    if changed:
        item.outcome = outcome
    else:
        item.refresh_from_db()


def close_batch(*, actor: User | None, batch: Batch) -> None:
    """Accept no more films; items that still wait for their content are recorded as never sent.

    Closing it again changes nothing. Raises NotAllowed for everybody but the person who began it, Conflict
    while an archive is being unpacked. `actor` None: nobody has added a film for a long time.
    """
    if actor is not None:
        _check_owner(actor, batch)
    if batch.state == State.UNPACKING:
        raise Conflict("batch_unpacking", _("The archive is being unpacked. The batch closes by itself."))
    with transaction.atomic():
        still_open = Batch.objects.filter(pk=batch.pk, state=State.RECEIVING)
        if not still_open.update(state=State.ANALYSING, touched_at=timezone.now()):
            return
        batch.items.filter(outcome=Outcome.WAITING).update(
            outcome=Outcome.REFUSED,
            code="not_sent",
            message=_("The transfer broke off. Send this file again."),
        )
        trail.record(actor=actor, verb="batch_closed", target=batch)


def _check_owner(actor: User, batch: Batch) -> None:
    if not may_change(actor, batch):
        raise NotAllowed("not_your_batch", _("Only who began this batch can add to it or close it."))


def _too_many() -> Conflict:
    message = _("A batch may hold at most %(limit)d files. Begin another one for the rest.")
    return Conflict("batch_too_many", message % {"limit": settings.BATCH_MAX_FILES})
