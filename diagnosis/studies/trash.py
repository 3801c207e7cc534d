"""The trash: films are hidden from everybody, restored, or purged with their files after some days."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_administer, require
from audit import trail
from core.errors import Conflict
from core.expressions import ExistsForRow
from diagnosis.models import Prediction, Study
from diagnosis.storage import journal

AT_ONCE = 100


@dataclass(frozen=True)
class Keeper:
    """How an app above this one keeps films from being purged.

    `keeps` returns a condition on a film's row under which it stays; `before_purge` deletes the app's rows
    of a film that goes.
    """

    keeps: Callable[[], ExistsForRow]
    before_purge: Callable[[Study], None]


@dataclass(frozen=True)
class Trashed:
    """A film in the trash: whether another app keeps it, else when it is purged (None: never)."""

    study: Study
    is_kept: bool
    goes_at: datetime | None


_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> None:
    """Ask this keeper before any film is purged; for AppConfig.ready()."""
    _keepers.append(keeper)


def _kept() -> Q:
    nothing = Q(pk__in=())
    return reduce(or_, (Q(keeper.keeps()) for keeper in _keepers), nothing)


def move_to_trash(*, actor: User, study: Study) -> None:
    """Hide the film from everybody. Policy: administrators only, because reviews refer to it.

    Raises NotAllowed for anybody else.
    """
    require(actor, may_administer, _("Only an administrator can delete a film."))
    with transaction.atomic():
        study.deleted_at = timezone.now()
        study.save(update_fields=["deleted_at"])
        trail.record(actor=actor, verb="study_deleted", target=study)


def films_in_trash(user: User) -> QuerySet[Study]:
    """Return the films in the trash, last deleted first; only for administrators (NotAllowed)."""
    require(user, may_administer, _("Only an administrator can look into the trash."))
    trashed = Study.objects.filter(deleted_at__isnull=False)
    return trashed.select_related("project", "site", "uploaded_by").order_by("-deleted_at", "-pk")


def list_trash(user: User, *, limit: int) -> list[Trashed]:
    """Return at most `limit` films of the trash, last deleted first; only for administrators (NotAllowed)."""
    films = films_in_trash(user).annotate(is_kept=_kept())[:limit]
    return [Trashed(film, film.is_kept, None if film.is_kept else _goes_at(film)) for film in films]


def _goes_at(film: Study) -> datetime | None:
    if not settings.TRASH_DAYS or film.deleted_at is None:
        return None
    return film.deleted_at + timedelta(days=settings.TRASH_DAYS)


def restore(*, actor: User, study: Study) -> None:
    """Take a film out of the trash, with its result and reviews.

    Raises NotAllowed for all but administrators; Conflict where it is no longer in the trash, or where the
    same film was uploaded to the project again.
    """
    require(actor, may_administer, _("Only an administrator can restore a film."))
    with transaction.atomic():
        trashed = Study.objects.select_for_update().filter(pk=study.pk, deleted_at__isnull=False).first()
        if trashed is None:
            raise Conflict("not_in_trash", _("This film is in the trash no more."))
        same = Study.objects.filter(project=trashed.project, sha256=trashed.sha256, deleted_at__isnull=True)
        if (twin := same.first()) is not None:
            message = _("The same film is in the project again, as %(film)s. Delete that one first.")
            raise Conflict("duplicate", message % {"film": twin.reference})
        trashed.deleted_at = None
        trashed.save(update_fields=["deleted_at"])
        trail.record(actor=actor, verb="study_restored", target=trashed)
    study.refresh_from_db(fields=["deleted_at"])


def purge_trash() -> int:
    """Delete what has been in the trash for TRASH_DAYS, with its files; return how many films.

    With TRASH_DAYS 0 nothing is deleted. A film stays while a keeper keeps it, or a worker analyses it. The
    audit trail keeps that the film was there, and that it was purged.
    """
    if not settings.TRASH_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    running = Prediction.objects.filter(study=OuterRef("pk"), status=Prediction.Status.RUNNING).order_by()
    due = Study.objects.filter(Q(deleted_at__lt=before), ~_kept(), ~ExistsForRow(running))
    return sum(_purge(pk) for pk in due.order_by("deleted_at").values_list("pk", flat=True)[:AT_ONCE])


def _purge(pk: int) -> bool:
    with transaction.atomic():
        film = Study.objects.select_for_update().filter(pk=pk, deleted_at__isnull=False).first()
        if film is None or Study.objects.filter(_kept(), pk=pk).exists():
            return False  # restored or signed meanwhile
        for keeper in _keepers:
            keeper.before_purge(film)
        trail.record(actor=None, verb="study_purged", target=film, sha256=film.sha256)
        with suppress(OSError):  # on a full disk the film is purged without an entry
            journal.mark_pending(film.uid)  # in case the process is killed before the files are deleted
        uid = film.uid
        transaction.on_commit(lambda: journal.remove_files(uid))
        film.delete()
    return True
