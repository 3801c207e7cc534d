"""Stores a film with its rows and its audit event, then enqueues its prediction."""

import errno
import logging
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from accounts.roles import may_upload, require
from audit import trail
from core.errors import NotAllowed, NotReady, Refused, StorageFull
from diagnosis.inference import dispatch
from diagnosis.inference.registry import active_model
from diagnosis.intake.decode import DecodedFilm, ingest
from diagnosis.models import BatchItem, ModelVersion, Prediction, Project, Site, Study, newest_prediction
from diagnosis.storage import journal
from diagnosis.studies.sites import check_site
from diagnosis.studies.subject_codes import check_subject_code

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """The stored film, its newest prediction, and whether this upload created it."""

    study: Study
    prediction: Prediction
    created: bool


def submit_study(
    *,
    actor: User,
    project: Project,
    data: bytes | None = None,
    url: str | None = None,
    subject_code: str = "",
    site: Site | None = None,
    item: BatchItem | None = None,
) -> Submission:
    """Take in one film for `project` from its `site`, as `data` or as `url`, and queue its prediction.

    `item` is the film's place in a batch: a new film and its place are stored in one transaction, and the
    film goes into the queue of batches.

    When it returns, film and rows are on disk. The same film (by SHA-256) in the same project is not
    stored or read again: the existing study comes back with `created` False.

    Raises NotAllowed, FilmRefused, UrlRefused, StorageFull or NotReady; then nothing was stored.
    """
    check_actor(actor=actor, project=project)
    check_site(project=project, site=site)
    check_subject_code(subject_code)
    model = active_model()
    film = ingest(data=data, url=url)
    source = Study.Source.URL if url is not None else Study.Source.FILE
    study = _study_for(actor, project, film, source)
    study.subject_code, study.site = subject_code, site
    try:
        return _already_here(project, film) or _store(study, film, model, item)
    except IntegrityError:
        if existing := _already_here(project, film):  # the same film arrived twice at once
            return existing
        raise


def check_actor(*, actor: User, project: Project) -> None:
    """Raise NotAllowed unless `actor` may upload films to `project`."""
    require(actor, may_upload, _("Your account may not upload films. Ask an administrator."))
    if not Project.objects.visible_to(actor).filter(pk=project.pk).exists():
        raise NotAllowed("not_a_member", _("You are not a member of this project. Ask an administrator."))


def _already_here(project: Project, film: DecodedFilm) -> Submission | None:
    study = Study.objects.filter(project=project, sha256=film.sha256, deleted_at__isnull=True).first()
    if study is None:
        return None
    prediction = newest_prediction(study)
    if prediction is None:
        return None
    return Submission(study, prediction, created=False)


def _study_for(actor: User, project: Project, film: DecodedFilm, source: str) -> Study:
    return Study(
        project=project,
        uploaded_by=actor,
        source=source,
        media_format=film.media_format,
        sha256=film.sha256,
        byte_size=len(film.original),
        width=film.width,
        height=film.height,
        bit_depth=film.bit_depth,
        colour_fraction=film.colour_fraction,
        **film.facts,
    )


def _store(study: Study, film: DecodedFilm, model: ModelVersion, item: BatchItem | None) -> Submission:
    """Store files and rows, then enqueue the prediction."""
    try:
        with journal.writing(study):
            _store_files(study, film)
            prediction = _store_rows(study, model, item)
    except OSError as error:
        logger.exception("A film could not be written.")
        raise storage_refusal(error) from error
    enqueue = dispatch.enqueue_prediction if item is None else dispatch.enqueue_batch_prediction
    transaction.on_commit(lambda: enqueue(str(prediction.uid)))
    return Submission(study, prediction, created=True)


def _store_files(study: Study, film: DecodedFilm) -> None:
    study.original.save("original", ContentFile(film.original), save=False)
    study.display.save("display", ContentFile(film.display_png), save=False)
    study.thumbnail.save("thumbnail", ContentFile(film.thumbnail_jpeg), save=False)


def storage_refusal(error: OSError) -> Refused:
    """Return the refusal of an upload that the disk did not accept."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = _("The disk is full, so the film was not stored. Free some space, then upload it again.")
        return StorageFull("storage_full", message)
    message = _("The film could not be written to the disk, so it was not stored. Tell an administrator.")
    return NotReady("storage_failed", message)


def _store_rows(study: Study, model: ModelVersion, item: BatchItem | None) -> Prediction:
    actor = study.uploaded_by
    try:
        with transaction.atomic():
            study.save(force_insert=True)
            prediction = Prediction.objects.create(
                study=study, model_version=model, requested_by=actor, in_batch=item is not None
            )
            if item is not None:
                _accept_item(item, study)
            trail.record(
                actor=actor,
                verb="study_uploaded",
                target=study,
                sha256=study.sha256,
                source=study.source,
                project=study.project.slug,
                model_version=model.version,
                **({"site": study.site.code} if study.site else {}),
            )
    except OperationalError as error:
        logger.exception("A film's rows could not be written.")
        message = _("The database could not take the film, so it was not stored. Try again in a moment.")
        raise NotReady("database_unavailable", message) from error
    return prediction


def _accept_item(item: BatchItem, study: Study) -> None:
    item.study, item.outcome, item.code, item.message = study, BatchItem.Outcome.ACCEPTED, "", ""
    item.save(update_fields=["study", "outcome", "code", "message"])
