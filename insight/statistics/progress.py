"""Progress of projects: films, states, reads, and median times."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from accounts.roles import READER
from diagnosis.models import Project
from insight.statistics.daily_rollups import DailyRollups, Tally
from insight.statistics.duration_histogram import percentiles

RECENT_WEEKS = 12  # waiting times are of films that came in since
TIMES = ("to_result", "to_signature")


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


def progress_of(user: User, projects: Iterable[Project]) -> list[Progress]:
    """Return the progress of `projects` from `visible_to`, in a fixed number of queries."""
    projects = list(projects)
    sums = DailyRollups((project.pk for project in projects), wanted=TIMES)
    counts, recent = sums.counts(), _recent(sums)
    return [_progress(project, counts[project.pk], recent[project.pk]) for project in projects]


def _recent(sums: DailyRollups) -> dict[int, Tally]:
    recent: dict[int, Tally] = defaultdict(Tally)
    since = timezone.localdate() - timedelta(weeks=RECENT_WEEKS)
    for (project, _day), tally in sums.by_day(since, only=TIMES).items():
        recent[project].add(tally)
    return recent


def _progress(project: Project, counts: Counter[str], recent: Tally) -> Progress:
    return Progress(
        project=project,
        **{name: counts[name] for name in ("films", "waiting", "failed", "reviewed", "signed")},
        to_result=percentiles(recent.to_result, [0.5])[0],
        to_signature=percentiles(recent.to_signature, [0.5])[0],
    )


@dataclass(frozen=True)
class ReaderProgress:
    """Number of films of a project that a reader has signed."""

    name: str
    signed: int


def detail_of(project: Project) -> tuple[Progress, list[ReaderProgress]]:
    """Return the progress of a project from `visible_to`, and the number of films each reader has signed.

    Readers are its members and whoever has signed.
    """
    sums, whole = DailyRollups([project.pk], wanted=[*TIMES, "readers"]), Tally()
    for tally in sums.by_day(only=["readers"]).values():
        whole.add(tally)
    who_signed = User.objects.filter(pk__in=whole.readers)
    members = User.objects.filter(is_active=True, memberships__project=project, groups__name=READER)
    names = dict(who_signed.union(members).values_list("pk", "username"))
    readers = [ReaderProgress(name, whole.readers[pk]) for pk, name in names.items()]
    progress = _progress(project, whole.counts, _recent(sums)[project.pk])
    return progress, sorted(readers, key=lambda one: (-one.signed, one.name))
