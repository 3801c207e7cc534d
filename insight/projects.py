"""How far projects are: films, states, reads, and how long people waited, of each project a person sees."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from diagnosis.models import Prediction, Project, Study
from diagnosis.roles import READER
from reading.models import Review

RECENT_WEEKS = 12  # waiting times are of films that came in since
MOST_TIMES = 20_000
Status = Prediction.Status
UNFINISHED = (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True)
class Progress:
    """A project's numbers of films, and medians in seconds over the films of the last RECENT_WEEKS weeks."""

    project: Project
    films: int
    waiting: int
    failed: int
    reviewed: int
    signed: int
    to_result: float | None
    to_signature: float | None

    @property
    def ready(self) -> int:
        """Films whose newest reading by the AI has succeeded."""
        return max(0, self.films - self.waiting - self.failed)

    @property
    def signed_percent(self) -> int:
        """Films with a signed read, in whole per cent of all; 100 only where all have one."""
        return 100 * self.signed // self.films if self.films else 0

    @property
    def reviewed_percent(self) -> int:
        """Films with any review, a draft too, in whole per cent."""
        return 100 * self.reviewed // self.films if self.films else 0


def progress_of(user: User, projects: Sequence[Project] | QuerySet[Project]) -> list[Progress]:
    """Return how far each of the `projects` is, in a fixed number of queries. They come from `visible_to`."""
    films = Study.objects.visible_to(user).filter(project__in=projects)
    counts = _by_project(films.order_by().values(place=F("project")).annotate(n=Count("pk")))
    waiting, failed = _unready(films)
    reviewed, signed = _reads(films)
    to_result, to_signature = _times(films)
    return [
        Progress(
            project=project,
            films=counts.get(project.pk, 0),
            waiting=waiting.get(project.pk, 0),
            failed=failed.get(project.pk, 0),
            reviewed=reviewed.get(project.pk, 0),
            signed=signed.get(project.pk, 0),
            to_result=to_result.get(project.pk),
            to_signature=to_signature.get(project.pk),
        )
        for project in projects
    ]


@dataclass(frozen=True)
class ReaderProgress:
    """How many films of a project one of its readers has signed."""

    name: str
    signed: int


def readers_of(user: User, project: Project) -> list[ReaderProgress]:
    """Return the project's readers with the number of films each has signed; whoever signed is among them."""
    reads = Review.objects.reads().filter(study__in=_films(user, project))
    signed = dict(reads.order_by().values_list("reader__username").annotate(n=Count("pk")))
    members = User.objects.filter(is_active=True, memberships__project=project, groups__name=READER)
    names = {*signed, *members.values_list("username", flat=True)}
    return sorted(
        (ReaderProgress(name, signed.get(name, 0)) for name in names), key=lambda one: (-one.signed, one.name)
    )


def _films(user: User, project: Project) -> QuerySet[Study, Any]:
    return Study.objects.visible_to(user).filter(project=project).values("pk")


def _unready(films: QuerySet[Study]) -> tuple[dict[int, int], dict[int, int]]:
    """Films that wait for the AI, and whose newest reading has failed, by project."""
    later = Prediction.objects.filter(study=OuterRef("study"), pk__gt=OuterRef("pk"))
    newest_failed = Q(~Exists(later), status=Status.FAILED)
    rows = (
        Prediction.objects.filter(study__in=films.values("pk"), status__in=[*UNFINISHED, Status.FAILED])
        .order_by()
        .values(place=F("study__project"))
        .annotate(n=Count("study", distinct=True, filter=Q(status__in=UNFINISHED)))
        .annotate(failed=Count("study", distinct=True, filter=newest_failed))
    )
    found = list(rows)
    return _by_project(found), {row["place"]: row["failed"] for row in found}


def _by_project(rows: Iterable[Any]) -> dict[int, int]:
    return {row["place"]: row["n"] for row in rows}


def _reads(films: QuerySet[Study]) -> tuple[dict[int, int], dict[int, int]]:
    """Films with any review, and with a signed read, by project."""
    rows = (
        Review.objects.filter(study__in=films.values("pk"))
        .order_by()
        .values(place=F("study__project"))
        .annotate(n=Count("study", distinct=True))
        .annotate(signed=Count("study", distinct=True, filter=Q(signed_at__isnull=False)))
    )
    found = list(rows)
    return _by_project(found), {row["place"]: row["signed"] for row in found}


def _times(films: QuerySet[Study]) -> tuple[dict[int, float], dict[int, float]]:
    """Median seconds from upload to the first result and to the first signed read, by project."""
    recent = films.filter(created_at__gte=timezone.now() - timedelta(weeks=RECENT_WEEKS)).values("pk")
    of_film = ("study__project", "study", "study__created_at")
    results = Prediction.objects.filter(study__in=recent, finished_at__isnull=False, status=Status.SUCCEEDED)
    reads = Review.objects.reads().filter(study__in=recent)
    return (
        _medians(results.order_by("-pk").values_list(*of_film, "finished_at")[:MOST_TIMES]),
        _medians(reads.order_by("-pk").values_list(*of_film, "signed_at")[:MOST_TIMES]),
    )


def _medians(rows: Iterable[tuple[int, int, datetime, datetime]]) -> dict[int, float]:
    first: dict[tuple[int, int], float] = {}
    for project, film, uploaded, moment in rows:
        seconds = max(0.0, (moment - uploaded).total_seconds())
        first[project, film] = min(seconds, first.get((project, film), seconds))
    times: dict[int, list[float]] = defaultdict(list)
    for (project, _film), seconds in first.items():
        times[project].append(seconds)
    return {project: float(np.median(values)) for project, values in times.items()}
