"""Score drift: the distribution of the AI's scores per week against a reference."""

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.charts import shaded_rows
from insight.statistics.figure import Cell, Column, Figure
from insight.statistics.period import Period
from insight.statistics.selection import Selection
from insight.statistics.weeks import Weeks
from pneumoml.statistics import drift

MOST_BY_CHANCE = 0.05  # an index is judged only where chance alone gives at most this on average
MOST_ROWS = 30  # of the picture
Histogram = list[int]


def scores(selection: Selection, found: Weeks) -> Figure:
    """Histograms of calibrated probabilities by week, each with its stability index against the reference.

    The reference is the model card's histogram; where the card holds none, the weeks before the period.
    Method and source: `pneumoml.statistics.drift.stability_index` (bands: Siddiqi 2006; by chance:
    Yurdakul 2018).
    """
    reference, source, weeks = _compared(selection, found)
    total = _added(weeks)
    names: list[date | str] = [_("Reference"), _("All weeks"), *selection.period.mondays]
    named = list(zip(names, [reference, total, *weeks], strict=True))
    rows = [_row(name, found, reference if place else None) for place, (name, found) in enumerate(named)]
    unjudged = rows[1][-3] is None
    return Figure(
        key="scores",
        title=_("Scores per week, and drift"),
        n=sum(total),
        unit=_("results"),
        columns=_columns(),
        rows=rows,
        sentences=[source, *([] if unjudged else [_verdict(rows[1])])],
        method=_(
            "Population stability index over ten bins of the calibrated probability: below 0.1 small, below "
            "0.25 moderate, from there on large (a rule of thumb, Siddiqi 2006). A shift may come from other "
            "patients, other machines or other images; the index does not say from which."
        ),
        too_few=_few() if unjudged else "",
        picture=shaded_rows(
            _("Histograms of scores: reference, all weeks, each week"),
            _drawn(named),
            [f"{low}" for low in range(0, 100, 10)],
        )
        if sum(total)
        else None,
    )


def _drawn(named: Sequence[tuple[date | str, Histogram]]) -> list[tuple[str, Histogram]]:
    """Rows of the picture: of many weeks, each four together."""
    rows = [(formatting.day(name), found) for name, found in named]
    if len(rows) <= MOST_ROWS:
        return rows
    fours = [rows[2:][place : place + 4] for place in range(0, len(rows) - 2, 4)]
    return [*rows[:2], *((four[0][0], _added([found for _name, found in four])) for four in fours)]


def _columns() -> list[Column]:
    return [
        Column("week_from", _("Week from"), "day"),
        Column("films", _("Films"), "count"),
        *(Column(f"bin_{low}_{low + 10}", f"{low}–{low + 10}%", "count") for low in range(0, 100, 10)),
        Column("stability_index", _("Index"), "number"),
        Column("by_chance", _("By chance"), "number"),
        Column("shift", _("Shift")),
    ]


def lacks_reference(selection: Selection) -> bool:
    """Return whether the weeks before the period serve as reference: the model's card holds none."""
    return _reference(selection) is None


def _reference(selection: Selection) -> Histogram | None:
    card = selection.version.typed_card if selection.version else None
    return card.score_histogram if card else None


def _compared(selection: Selection, found: Weeks) -> tuple[Histogram, str, list[Histogram]]:
    """Return the reference, what it is in a sentence, and the histograms of the weeks."""
    count = len(selection.period.mondays)
    own = _histograms(selection, found.last(count))
    reference = _reference(selection)
    if reference is not None:
        source = _("Reference: the model card's histogram of its validation films.")
        return reference, source, own
    return _added(_histograms(selection, found.first(count))), _before(selection.period), own


def _histograms(selection: Selection, found: Weeks) -> list[Histogram]:
    """Return results in ten equal bins for each week; where results are hidden, of signed films alone."""
    nothing = [0] * drift.BINS
    return [
        _added([week.scores.get(selection.version_key, nothing) for week in parts])
        for parts in zip(found.shown, found.opened, strict=True)
    ]


def _added(weeks: Sequence[Histogram]) -> Histogram:
    return [sum(column) for column in zip(*weeks, strict=True)]


def _before(period: Period) -> str:
    """State that the weeks before the period are the reference."""
    days = {"first": formatting.day(period.before.first_day), "last": formatting.day(period.before.last_day)}
    sentence = _(
        "The model's card holds no reference distribution. Compared with the weeks before: %(first)s to "
        "%(last)s."
    )
    return sentence % days


def _row(name: date | str, found: Sequence[int], reference: Sequence[int] | None) -> list[Cell]:
    judged: list[Cell] = [None, None, None]
    films = sum(found)
    if reference is not None and films and any(reference):
        chance = drift.expected_by_chance(drift.BINS, sum(reference), films)
        if chance <= MOST_BY_CHANCE:
            index = drift.stability_index(reference, found)
            judged = [index, chance, _bands()[drift.band(index)]]
    return [name, films, *found, *judged]


def _bands() -> dict[str, str]:
    return {"small": _("small"), "moderate": _("moderate"), "large": _("large")}


def _verdict(row: Sequence[Cell]) -> str:
    index, chance, shift = row[-3:]
    return _(
        "Shift over all weeks: %(shift)s (index %(index)s; chance alone gives %(chance)s on average)."
    ) % {
        "shift": shift,
        "index": formatting.number(float(str(index)), 2),
        "chance": formatting.number(float(str(chance)), 2),
    }


def _few() -> str:
    return _(
        "Too few to conclude: an index is worked out only where chance alone gives no more than %(most)s on "
        "average, for example from 360 results in the reference and as many in the weeks."
    ) % {"most": formatting.number(MOST_BY_CHANCE, 2)}
