"""Films per week by state, and the time to their results."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.charts import Picture, curves, stacked_bars
from insight.statistics.duration_histogram import percentiles
from insight.statistics.figure import Column, Figure
from insight.statistics.period import Period
from insight.statistics.weeks import Weeks


@dataclass(frozen=True)
class Counts:
    """Films by week: all, and by state (ready, waiting, failed); and those whose AI result is withheld.

    `sites` holds all, ready, waiting and failed films by the key of their site, None for films without one.
    """

    period: Period
    films: Sequence[int]
    states: Sequence[Sequence[int]]
    withheld: int
    sites: Mapping[int | None, Sequence[int]]


def count_films(weeks: Weeks) -> Counts:
    """Return the numbers of films by week of upload and state of their newest prediction."""
    counts, sites = [week.counts for week in weeks.all], defaultdict[int | None, Counter[str]](Counter)
    for week in weeks.all:
        for site, numbers in week.sites.items():
            sites[site or None].update(numbers)
    return Counts(
        weeks.period,
        [week["films"] for week in counts],
        [[week["ready"], week["waiting"], week["failed"]] for week in counts],
        weeks.withheld,
        {
            site: [numbers[name] for name in ("films", "ready", "waiting", "failed")]
            for site, numbers in sites.items()
        },
    )


def volumes(counts: Counts) -> Figure:
    """Films by week and state."""
    weeks, table, films = counts.period.mondays, counts.states, counts.films
    totals = [sum(films), *(sum(parts) for parts in zip(*table, strict=True))]
    named = dict(zip(("films", "ready", "waiting", "failed"), map(formatting.count, totals), strict=True))
    sentence = _("%(films)s films: %(ready)s ready, %(waiting)s waiting, %(failed)s failed.") % named
    tones = [("ready", _("Ready")), ("waiting", _("Waiting")), ("failed", _("Failed"))]
    return Figure(
        key="volumes",
        title=_("Films per week"),
        n=totals[0],
        unit=_("films"),
        columns=[
            Column("week_from", _("Week from"), "day"),
            Column("films", _("Films"), "count"),
            *(Column(name, label, "count") for name, label in tones),
        ],
        rows=[[monday, all_, *parts] for monday, all_, parts in zip(weeks, films, table, strict=True)],
        sentences=[sentence],
        method=_("Films by the week of their upload and the state of their newest reading by the AI, now."),
        picture=stacked_bars(sentence, table, tones=tones, names=names_of(counts.period))
        if totals[0]
        else None,
    )


def waits(weeks: Weeks) -> Figure:
    """Median and 95th percentile of the time from the queue to the result, by week of upload."""
    by_week = [week.waits for week in weeks.all]
    everything: Counter[int] = sum(by_week, Counter())
    said = _said(everything)
    return Figure(
        key="time-to-result",
        title=_("Time to result"),
        n=everything.total(),
        unit=_("results"),
        columns=[
            Column("week_from", _("Week from"), "day"),
            Column("results", _("Results"), "count"),
            Column("median_seconds", _("Median"), "seconds"),
            Column("p95_seconds", _("95th percentile"), "seconds"),
        ],
        rows=[
            [monday, waited.total(), *_middle_and_late(waited)]
            for monday, waited in zip(weeks.period.mondays, by_week, strict=True)
        ],
        sentences=[said],
        method=_(
            "From the moment a film was put into the queue to its result; readings that failed are left out. "
            "Durations are counted in steps of 2%%."
        )
        % {},
        picture=_drawn(weeks.period, by_week, said) if everything else None,
    )


def _said(waited: Counter[int]) -> str:
    median, late = _middle_and_late(waited)
    if median is None or late is None:
        return _("No film of these weeks has a result.")
    said = {"median": formatting.seconds(median), "late": formatting.seconds(late)}
    return _("Half of the results came within %(median)s, 95%% within %(late)s.") % said


def _drawn(period: Period, by_week: Sequence[Counter[int]], sentence: str) -> Picture:
    pairs = [_middle_and_late(values) for values in by_week]
    longest = max(late for _, late in pairs if late is not None)
    divisor, unit = (1, "s") if longest < 300 else (60, "min") if longest < 18_000 else (3600, "h")
    series = [
        [None if value is None else value / divisor for value in values]
        for values in zip(*pairs, strict=True)
    ]
    tones = [("first", _("Median")), ("second", _("95th percentile"))]
    return curves(sentence, series, tones=tones, names=names_of(period), unit=unit)


def names_of(period: Period) -> list[str]:
    """Short names of the weeks for under a picture: day and month of each Monday."""
    return [date_format(monday, "j M") for monday in period.mondays]


def _middle_and_late(waited: Counter[int]) -> list[float | None]:
    return percentiles(waited, (0.5, 0.95))
