"""How many films came in each week and how far they are, and how long people waited for a result."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis import search
from diagnosis.models import Prediction
from insight import words
from insight.figures import Column, Figure
from insight.period import Period
from insight.pictures import Picture, curves, stacked_bars
from insight.selection import Selection

MOST_RESULTS = 20_000  # durations that are read, of the newest results: more would only slow the page
Status = Prediction.Status
_PLACES = {Status.SUCCEEDED: 0, Status.QUEUED: 1, Status.RUNNING: 1, Status.FAILED: 2}


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


def count_films(selection: Selection) -> Counts:
    """Count the films by week of upload and state of their newest prediction, in the database."""
    counted = (
        search.with_newest_result(selection.films())
        .order_by()
        .values("site", week=selection.period.week_of("created_at"), state=F("newest_status"))
        .annotate(films=Count("pk"), withheld=Count("pk", filter=Q(ai_hidden=True)))
    )
    films = [0] * len(selection.period.mondays)
    states, withheld = [[0, 0, 0] for _week in films], 0
    sites: dict[int | None, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in counted:
        films[row["week"]] += row["films"]
        sites[row["site"]][0] += row["films"]
        withheld += row["withheld"]
        if row["state"] in _PLACES:
            states[row["week"]][_PLACES[row["state"]]] += row["films"]
            sites[row["site"]][1 + _PLACES[row["state"]]] += row["films"]
    return Counts(selection.period, films, states, withheld, sites)


def volumes(counts: Counts) -> Figure:
    """Films by week and state."""
    weeks, table, films = counts.period.mondays, counts.states, counts.films
    totals = [sum(films), *(sum(parts) for parts in zip(*table, strict=True))]
    named = dict(zip(("films", "ready", "waiting", "failed"), map(words.count, totals), strict=True))
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


def waits(selection: Selection) -> Figure:
    """Median and 95th percentile of the time from the queue to the result, by week of upload."""
    by_week, capped = _waits_of(selection)
    everything = [value for values in by_week for value in values]
    sentences = [_said(everything)]
    if capped:
        most = words.count(MOST_RESULTS)
        sentences.append(_("Only the newest %(most)s results are counted.") % {"most": most})
    return Figure(
        key="time-to-result",
        title=_("Time to result"),
        n=len(everything),
        unit=_("results"),
        columns=[
            Column("week_from", _("Week from"), "day"),
            Column("results", _("Results"), "count"),
            Column("median_seconds", _("Median"), "seconds"),
            Column("p95_seconds", _("95th percentile"), "seconds"),
        ],
        rows=[
            [monday, len(values), *_middle_and_late(values)]
            for monday, values in zip(selection.period.mondays, by_week, strict=True)
        ],
        sentences=sentences,
        method=_(
            "From the moment a film was put into the queue to its result; readings that failed are left out."
        ),
        picture=_drawn(selection.period, by_week, sentences[0]) if everything else None,
    )


def _waits_of(selection: Selection) -> tuple[list[list[float]], bool]:
    """Seconds of the newest results by week, and whether there are more than are read."""
    results = (
        Prediction.objects.filter(study__in=selection.films().values("pk"), status=Status.SUCCEEDED)
        .filter(finished_at__isnull=False)
        .order_by("-pk")
        .values_list(selection.period.week_of("study__created_at"), "queued_at", "finished_at")
    )
    found = list(results[: MOST_RESULTS + 1])
    by_week: list[list[float]] = [[] for _monday in selection.period.mondays]
    for week, queued, finished in found[:MOST_RESULTS]:
        by_week[week].append(max(0.0, (finished - queued).total_seconds()))
    return by_week, len(found) > MOST_RESULTS


def _said(seconds: Sequence[float]) -> str:
    median, late = _middle_and_late(seconds)
    if median is None or late is None:
        return _("No film of these weeks has a result.")
    said = {"median": words.seconds(median), "late": words.seconds(late)}
    return _("Half of the results came within %(median)s, 95%% within %(late)s.") % said


def _drawn(period: Period, by_week: Sequence[Sequence[float]], sentence: str) -> Picture:
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


def _middle_and_late(values: Sequence[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    median, late = np.percentile(values, [50, 95])
    return float(median), float(late)
