"""What becomes of films in the trash: after some days they are deleted for good, unless a read was signed."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from audit import trail
from core.expressions import ExistsForRow
from diagnosis.models import Prediction, Study
from diagnosis.storage import journal
from diagnosis.studies.trash import films_in_trash
from reading.models import Review

AT_ONCE = 100


@dataclass(frozen=True)
class Trashed:
    """A film in the trash: whether a signed read keeps it, else when it goes for good (None: never)."""

    study: Study
    is_kept: bool
    goes_at: datetime | None


def look_into_trash(user: User, *, most: int) -> list[Trashed]:
    """Return at most so many films of the trash, the newest there first; only for administrators."""
    films = films_in_trash(user).annotate(is_kept=ExistsForRow(_signed()))[:most]
    return [Trashed(film, film.is_kept, _goes_at(film)) for film in films]


def _signed() -> QuerySet[Review]:
    return Review.objects.signed().filter(study=OuterRef("pk")).order_by()


def _goes_at(film: Study) -> datetime | None:
    days = settings.TRASH_DAYS
    if not days or film.deleted_at is None or getattr(film, "is_kept", False):
        return None
    return film.deleted_at + timedelta(days=days)


def purge_trash() -> int:
    """Delete for good what has been in the trash for TRASH_DAYS, and return how many films that were.

    With TRASH_DAYS 0 nothing ever goes. Films with a signed review stay: the review is final. So does a film
    while a worker is at it. The audit trail keeps that the film was there, and that it went.
    """
    if not settings.TRASH_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    running = Prediction.objects.filter(study=OuterRef("pk"), status=Prediction.Status.RUNNING).order_by()
    due = Study.objects.filter(Q(deleted_at__lt=before), ~ExistsForRow(_signed()), ~ExistsForRow(running))
    return sum(_purge(pk) for pk in due.order_by("deleted_at").values_list("pk", flat=True)[:AT_ONCE])


def _purge(pk: int) -> bool:
    with transaction.atomic():
        film = Study.objects.select_for_update().filter(pk=pk, deleted_at__isnull=False).first()
        if film is None or Review.objects.signed().filter(study=film).exists():
            return False  # somebody was quicker
        for draft in Review.objects.filter(study=film).order_by("-pk"):
            draft.delete()  # each before the one that it supersedes
        trail.record(actor=None, verb="study_purged", target=film, sha256=film.sha256)
        with suppress(OSError):  # a disk may be too full for the entry; all the more the film has to go
            journal.mark_pending(film.uid)  # where the process is killed before it has deleted the files
        transaction.on_commit(lambda: journal.remove_files(film.uid))
        film.delete()
    return True
