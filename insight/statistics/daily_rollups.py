"""Daily rollups by project: read from stored rows, and computed from the films for changed days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from diagnosis.models import Prediction, Study
from insight.models import ChangedHour, DayFigures
from insight.statistics.duration_histogram import bucket_of
from pneumoml.statistics import drift
from reading.models import Review

Status = Prediction.Status
ProjectDay = tuple[int, date]  # project and day
COUNTS = ("films", "ready", "waiting", "failed", "reviewed", "signed")
COUNTERS = ("waits", "to_result", "to_signature", "readers")
_STATES = {
    Status.SUCCEEDED: "ready",
    Status.QUEUED: "waiting",
    Status.RUNNING: "waiting",
    Status.FAILED: "failed",
}
ALL_PARTS = (*COUNTERS, "scores", "sites")
DAYS_PER_PASS = 30  # so that no analysis waits long behind it


@dataclass
class Tally:
    """Film counts (COUNTS; by site too, 0: none), duration histograms, films by reader, scores by version."""

    counts: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    to_result: Counter[int] = field(default_factory=Counter)
    to_signature: Counter[int] = field(default_factory=Counter)
    readers: Counter[int] = field(default_factory=Counter)
    sites: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    scores: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * drift.BINS))

    def add(self, other: Tally) -> None:
        """Add another one's numbers to these."""
        _add(self.counts, other.counts)
        for name in COUNTERS:
            _add(getattr(self, name), getattr(other, name))
        for site, numbers in other.sites.items():
            _add(self.sites[site], numbers)
        for version, bins in other.scores.items():
            self._add_scores(version, bins)

    def add_row(self, row: Mapping[str, Any], wanted: Sequence[str]) -> None:
        """Add a row of DayFigures: COUNTS and the `wanted` parts."""
        for name in COUNTS:
            self.counts[name] += row[name]
        for name in wanted:
            if name == "scores":
                for version, bins in row["scores"].items():
                    self._add_scores(int(version), bins)
            elif name == "sites":
                for site, numbers in row["sites"].items():
                    _add(self.sites[int(site)], numbers)
            else:
                _add(getattr(self, name), {int(bucket): count for bucket, count in row[name].items()})

    def _add_scores(self, version: int, bins: Sequence[int]) -> None:
        self.scores[version] = [one + two for one, two in zip(self.scores[version], bins, strict=True)]


def _add(sums: Counter[Any], more: Mapping[Any, int]) -> None:
    """Add counts; several times faster than `Counter.update`, which counts anything."""
    for key, count in more.items():
        sums[key] = sums.get(key, 0) + count


class DailyRollups:
    """The rollups of some projects, in a fixed number of queries; days `first` to `last` where given.

    Days that have changed since they were stored are computed from the films, so that the numbers are always
    current. Parts that are not `wanted` may be missing.
    """

    def __init__(
        self,
        projects: Iterable[int],
        first: date | None = None,
        last: date | None = None,
        *,
        wanted: Sequence[str] = ALL_PARTS,
    ) -> None:
        self._projects = list(projects)
        self._wanted = wanted
        self._changed = changed_days(self._projects, first, last)
        self._from_films = tallies_of(self._changed, wanted)
        self._rows = DayFigures.objects.filter(project__in=self._projects)
        if first is not None and last is not None:
            self._rows = self._rows.filter(day__gte=first, day__lte=last)

    def by_day(self, since: date | None = None, *, only: Sequence[str] = ()) -> dict[ProjectDay, Tally]:
        """Return the tally of each day, from `since` on where given; `only` narrows what was wanted."""
        found: dict[ProjectDay, Tally] = defaultdict(Tally)
        self.add_to(found.__getitem__, since, only=only)
        return dict(found)

    def add_to(
        self, tally_of: Callable[[ProjectDay], Tally], since: date | None = None, *, only: Sequence[str] = ()
    ) -> None:
        """Add each day to the tally that `tally_of` returns for it; otherwise as `by_day`."""
        rows, wanted = self._rows.filter(day__gte=since) if since else self._rows, only or self._wanted
        for row in rows.values("project_id", "day", *COUNTS, *wanted):
            place = (row["project_id"], row["day"])
            if place not in self._changed:
                tally_of(place).add_row(row, wanted)
        for place, tally in self._from_films.items():
            if since is None or place[1] >= since:
                tally_of(place).add(tally)

    def counts(self) -> dict[int, Counter[str]]:
        """Return each project's COUNTS over all of its days."""
        sums: dict[int, Counter[str]] = defaultdict(Counter)
        summed = self._rows.order_by().values("project_id")
        for project, *numbers in summed.annotate(**{f"all_{name}": Sum(name) for name in COUNTS}).values_list(
            "project_id", *(f"all_{name}" for name in COUNTS)
        ):
            sums[project].update(dict(zip(COUNTS, numbers, strict=True)))
        days = {day for _project, day in self._changed}
        for row in self._rows.filter(day__in=days).values("project_id", "day", *COUNTS):
            if (row["project_id"], row["day"]) in self._changed:
                sums[row["project_id"]].subtract({name: row[name] for name in COUNTS})
        for (project, _day), tally in self._from_films.items():
            sums[project].update(tally.counts)
        return sums


def changed_days(
    projects: Iterable[int] | None = None, first: date | None = None, last: date | None = None
) -> set[ProjectDay]:
    """Return the days that have changed since they were stored."""
    changed = ChangedHour.objects.order_by()
    if projects is not None:
        changed = changed.filter(project__in=list(projects))
    if first is not None and last is not None:
        changed = changed.filter(hour__gt=_midnight(first) - timedelta(hours=1), hour__lt=_after(last))
    found = {
        place for hour in changed.values_list("project_id", "hour").distinct() for place in _days_of(*hour)
    }
    return {
        place
        for place in found
        if (first is None or place[1] >= first) and (last is None or place[1] <= last)
    }


def _days_of(project: int, hour: datetime) -> set[ProjectDay]:
    """An hour of UTC may lie in two days of a time zone that is not whole hours away."""
    ends = (hour, hour + timedelta(minutes=59, seconds=59))
    return {(project, timezone.localtime(end).date()) for end in ends}


def tallies_of(places: set[ProjectDay], wanted: Sequence[str] = ALL_PARTS) -> dict[ProjectDay, Tally]:
    """Compute the tallies of these days from the films; parts that are not `wanted` may be missing."""
    found: dict[ProjectDay, Tally] = defaultdict(Tally)
    if not places:
        return {}
    films = _films_of(places)
    _count_films(films, found)
    if {"to_signature", "readers"} & {*wanted}:
        _count_reads(films, found)
    return {place: tally for place, tally in found.items() if place in places}


def _count_films(films: Any, found: dict[ProjectDay, Tally]) -> None:
    """Count films and their results; a film comes once for each of its predictions, or once without any."""
    first: dict[int, tuple[ProjectDay, datetime, datetime]] = {}
    seen: set[int] = set()
    of_result = ("status", "model_version_id", "queued_at", "finished_at", "calibrated_probability")
    of_film = ("pk", "project_id", "site_id", "created_at", "result_status", "is_reviewed", "reads_signed")
    rows = films.values_list(*of_film, *(f"predictions__{name}" for name in of_result))
    for film, project, site, created, state, reviewed, reads, *result in rows:
        status, version, queued, finished, score = result
        place = (project, _day(created))
        tally = found[place]
        if film not in seen:
            seen.add(film)
            tally.counts.update(films=1, reviewed=int(reviewed), signed=int(reads > 0))
            states = {_STATES[state]: 1} if state in _STATES else {}
            tally.counts.update(states)
            tally.sites[site or 0].update(states, films=1)
        if status != Status.SUCCEEDED:
            continue
        tally.scores[version][min(drift.BINS - 1, int(score * drift.BINS))] += 1
        if finished is not None:
            tally.waits[bucket_of(finished - queued)] += 1
            if film not in first or finished < first[film][2]:
                first[film] = (place, created, finished)
    for place, created, finished in first.values():
        found[place].to_result[bucket_of(finished - created)] += 1


def _count_reads(films: Any, found: dict[ProjectDay, Tally]) -> None:
    reads = Review.objects.reads().filter(study__in=films.values("pk")).order_by()
    first: dict[int, tuple[ProjectDay, datetime, datetime]] = {}
    for film, project, created, reader, signed in reads.values_list(
        "study_id", "study__project_id", "study__created_at", "reader_id", "signed_at"
    ):
        if signed is None:  # reads() are the signed ones
            continue
        place = (project, _day(created))
        found[place].readers[reader] += 1
        if film not in first or signed < first[film][2]:
            first[film] = (place, created, signed)
    for place, created, signed in first.values():
        found[place].to_signature[bucket_of(signed - created)] += 1


def _films_of(places: set[ProjectDay]) -> Any:
    """Films of these days, adjacent days as one range; other projects' days may be included."""
    ranges: list[tuple[date, date]] = []
    for day in sorted({day for _project, day in places}):
        if ranges and day - ranges[-1][1] <= timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    within = Q()
    for first, last in ranges:
        within |= Q(created_at__gte=_midnight(first), created_at__lt=_after(last))
    projects = {project for project, _day_of in places}
    return Study.objects.filter(within, project__in=projects, deleted_at__isnull=True).order_by()


def refresh(*, most_days: int = DAYS_PER_PASS) -> int:
    """Recompute changed days, newest first and at most `most_days`; return how many."""
    hours = ChangedHour.objects.order_by("-hour").values_list("hour", flat=True).distinct()[: 24 * most_days]
    days = sorted({day for hour in hours for _project, day in _days_of(0, hour)}, reverse=True)[:most_days]
    for day in days:
        _rebuild(day)
    return len(days)


def refresh_all() -> int:
    """Recompute every day; return the number of rows."""
    DayFigures.objects.all().delete()
    mark_all_changed()
    while refresh():
        pass
    return DayFigures.objects.count()


def mark_all_changed() -> None:
    """Mark every hour with films as changed."""
    hours = {
        (project, created.replace(minute=0, second=0, microsecond=0))
        for project, created in Study.objects.order_by().values_list("project_id", "created_at").iterator()
    }
    ChangedHour.objects.bulk_create([ChangedHour(project_id=one, hour=hour) for one, hour in hours], 5000)


def _rebuild(day: date) -> None:
    """Recompute one day. A change made meanwhile adds a mark, which is not among those removed."""
    with transaction.atomic():
        marks = ChangedHour.objects.filter(hour__gt=_midnight(day) - timedelta(hours=1), hour__lt=_after(day))
        seen = list(marks.values_list("pk", "project_id", "hour"))
        places = {place for _pk, project, hour in seen for place in _days_of(project, hour)}
        done = {place for place in places if place[1] == day}
        # A mark of an hour in two days is removed with the later one, when the earlier has been written too.
        both = {place for place in places if place[1] != day}
        tallies_now = tallies_of(done | both)
        for project, one in (done | both) - set(tallies_now):
            DayFigures.objects.filter(day=one, project=project).delete()
        DayFigures.objects.bulk_create(
            [_row(place, tally) for place, tally in tallies_now.items()],
            update_conflicts=True,
            unique_fields=["project", "day"],
            update_fields=[*COUNTS, *ALL_PARTS],
        )
        ChangedHour.objects.filter(pk__in=[pk for pk, _project, _hour in seen]).delete()


def _row(place: ProjectDay, tally: Tally) -> DayFigures:
    project, day = place
    return DayFigures(
        project_id=project,
        day=day,
        **{name: tally.counts[name] for name in COUNTS},
        **{name: dict(getattr(tally, name)) for name in COUNTERS},
        scores=dict(tally.scores),
        sites=dict(tally.sites),
    )


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _after(day: date) -> datetime:
    return _midnight(day + timedelta(days=1))
