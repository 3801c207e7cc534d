"""Batches of films: begin one, add films to it, close it, and see it to its end; each may be done again."""

import hashlib
import logging
import uuid
from datetime import datetime, timedelta
from typing import IO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_upload
from audit import trail
from core.errors import Conflict, NotAllowed, Refused
from core.users import AnyUser
from diagnosis import leases, notifications
from diagnosis.inference import dispatch
from diagnosis.intake.archives import FilmArchive, Member
from diagnosis.intake.submission import check_actor, storage_refusal, submit_study
from diagnosis.models import Batch, BatchItem, Prediction, Project, Site
from diagnosis.studies.sites import check_site
from diagnosis.studies.subject_codes import check_code_from_name

logger = logging.getLogger(__name__)
State, Outcome = Batch.State, BatchItem.Outcome

_FOLDER = "batches"
_STRAY_AFTER = timedelta(hours=1)
LEFT_ALONE_AFTER = timedelta(hours=24)  # a batch whose sender does not come back is closed by itself


def may_change(user: AnyUser, batch: Batch) -> bool:
    """Who began a batch adds to it and closes it, and nobody else."""
    return may_upload(user) and batch.created_by_id == user.pk


def begin_batch(
    *,
    actor: User,
    project: Project,
    expected: int | None = None,
    site: Site | None = None,
    codes_from_names: bool = False,
) -> Batch:
    """Begin a batch of films of one `site` that come one by one; `expected` is their number, where known.

    `codes_from_names`: each film comes with the subject code that its file's name begins with. Raises
    NotAllowed, FilmRefused (`site_unknown`), or Conflict (`batch_too_many`) where it would be too large.
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
    """Keep a ZIP archive of films of one `site` until a worker has taken them in.

    `codes_from_names`: a film's subject code is its file's name up to the first underscore. When it
    returns, archive and rows are on disk.

    Raises NotAllowed, FilmRefused (`site_unknown`), ArchiveRefused, StorageFull or NotReady; then nothing
    was stored.
    """
    check_actor(actor=actor, project=project)
    check_site(project=project, site=site)
    members = FilmArchive(archive).members
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
        batch.archive = default_storage.save(f"{_FOLDER}/{batch.uid}/archive.zip", File(archive))
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
        return  # nobody knows, and an archive without a row is found by whoever looks after the folder
    if not stored:
        default_storage.delete(batch.archive)


def add_film(*, actor: User, batch: Batch, data: bytes, subject_code: str = "") -> tuple[BatchItem, bool]:
    """Take one film into a batch that is still being sent; return its item, and whether this call stored it.

    The same file again is recognised by its SHA-256: what is in already stays as it is, what was refused is
    tried again. So an interrupted batch goes on by sending all of its files anew. A refusal of the film is
    its outcome and kept; trouble on our side is raised, and leaves the place waiting.

    Raises NotAllowed, Conflict (`batch_closed`, `batch_too_many`), StorageFull or NotReady.
    """
    check_actor(actor=actor, project=batch.project)
    _check_owner(actor, batch)
    item = _place_for(batch, data)
    if item.is_in:
        return item, False
    settle(actor=actor, item=item, data=data, subject_code=subject_code)
    return item, item.outcome == Outcome.ACCEPTED


def _place_for(batch: Batch, data: bytes) -> BatchItem:
    """Return the file's place, found by its content or made new at the end."""
    sha256 = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        # The batch's row is locked, so that two films sent at once get two places.
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


def settle(*, actor: User, item: BatchItem, data: bytes, subject_code: str = "") -> None:
    """Give a place of a batch its outcome: its film is here (new or not), or refused for a reason of its own.

    Done again after it was interrupted anywhere, it neither loses the film nor takes it in twice. Raises
    refusals that are no fault of the film (temporary ones, a person who may not upload any more).
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
        refuse(item=item, code=refusal.code, message=refusal.message)
        return
    if not done.created:
        item.study = done.study
        _record_outcome(item, Outcome.DUPLICATE)


def refuse(*, item: BatchItem, code: str, message: str) -> None:
    """Note that a file of a batch is not taken in, and why."""
    item.code, item.message = code[:60], message[:400]
    _record_outcome(item, Outcome.REFUSED)


def _record_outcome(item: BatchItem, outcome: str) -> None:
    """Write the outcome, unless another worker or request has put the film in meanwhile."""
    still_open = BatchItem.objects.filter(pk=item.pk, outcome__in=[Outcome.WAITING, Outcome.REFUSED])
    changed = still_open.update(
        outcome=outcome,
        study=item.study,
        sha256=item.sha256,
        code=item.code if outcome == Outcome.REFUSED else "",
        message=item.message if outcome == Outcome.REFUSED else "",
    )
    if changed:
        item.outcome = outcome
    else:
        item.refresh_from_db()


def close_batch(*, actor: User | None, batch: Batch) -> None:
    """Take no more films into a batch; what is waiting for its content is noted as never sent.

    Closing it again changes nothing. Raises NotAllowed for anybody but who began it, Conflict while an
    archive is being unpacked. `actor` None: nobody has added a film for a long time.
    """
    if actor is not None:
        _check_owner(actor, batch)
    if batch.state == State.UNPACKING:
        raise Conflict("batch_unpacking", _("The archive is being unpacked. The batch closes by itself."))
    with transaction.atomic():
        open_ones = Batch.objects.filter(pk=batch.pk, state=State.RECEIVING)
        if not open_ones.update(state=State.ANALYSING, touched_at=timezone.now()):
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


# --- Seeing batches to their end ----------------------------------------------------------------------


def maintain_batches() -> None:
    """Ring for archives that wait unattended, close what was left alone, finish what has been read."""
    now = timezone.now()
    waiting_since = now - timedelta(seconds=settings.RECONCILE_QUEUED_AFTER_SECONDS)
    unattended = Q(lease_token=None, touched_at__lt=waiting_since) | leases.expired()
    for batch in Batch.objects.filter(unattended, state=State.UNPACKING):
        dispatch.enqueue_unpacking(str(batch.uid))
    for batch in Batch.objects.filter(state=State.RECEIVING, touched_at__lt=now - LEFT_ALONE_AFTER):
        close_batch(actor=None, batch=batch)
    for batch in Batch.objects.exclude(archive="").exclude(state=State.UNPACKING):
        delete_archive(batch=batch)
    _sweep_archives(now - _STRAY_AFTER)
    for batch in Batch.objects.filter(state=State.ANALYSING).select_related("created_by", "project"):
        if not unfinished_films(batch).exists():
            _finish(batch)


def _sweep_archives(before: datetime) -> None:
    """Delete archives that belong to no batch: a process was killed between the file and its rows."""
    try:
        folders, _files = default_storage.listdir(_FOLDER)
    except OSError:  # there was none yet, or the store does not answer
        return
    known = set(Batch.objects.exclude(archive="").values_list("archive", flat=True)) if folders else set()
    for folder in folders:
        for name in default_storage.listdir(f"{_FOLDER}/{folder}")[1]:
            path = f"{_FOLDER}/{folder}/{name}"
            if path not in known and default_storage.get_modified_time(path) < before:
                default_storage.delete(path)


def unfinished_films(batch: Batch) -> QuerySet[Prediction]:
    """Return the predictions of the batch's films that wait or are at work."""
    under_way = [Prediction.Status.QUEUED, Prediction.Status.RUNNING]
    return Prediction.objects.filter(study__batch_items__batch=batch, status__in=under_way)


def newest_predictions(batch: Batch) -> QuerySet[Prediction]:
    """Return the newest prediction of each of the batch's films."""
    newest = Prediction.objects.filter(study=OuterRef("study")).order_by("-pk").values("pk")[:1]
    films = batch.items.filter(study__isnull=False).values("study")
    return Prediction.objects.filter(study__in=films, pk=Subquery(newest))


def _finish(batch: Batch) -> None:
    with transaction.atomic():
        mine = Batch.objects.filter(pk=batch.pk, state=State.ANALYSING)
        if mine.update(state=State.FINISHED, finished_at=timezone.now()):
            facts = facts_of(batch)
            trail.record(actor=None, verb="batch_finished", target=batch, **facts)
            notifications.batch_finished(batch=batch, facts=facts)


def facts_of(batch: Batch) -> dict[str, int]:
    """Count the batch's files by outcome, and the films that could not be read; nothing the AI found."""
    rows = batch.items.order_by().values_list("outcome").annotate(Count("pk"))
    facts: dict[str, int] = dict.fromkeys(Outcome.values, 0) | dict(rows)
    facts["missing"] = max(0, (batch.expected or 0) - sum(facts.values()))
    facts["failed"] = newest_predictions(batch).filter(status=Prediction.Status.FAILED).count()
    return facts


def delete_archive(*, batch: Batch) -> None:
    """Delete the ZIP of a batch that needs it no more."""
    try:
        default_storage.delete(batch.archive)
    except OSError:
        logger.exception("An archive could not be deleted; it is tried again.")
        return
    Batch.objects.filter(pk=batch.pk).update(archive="")
