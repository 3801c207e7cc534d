"""Weekly sums over a selection, separated by whether results are hidden from the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Value, When

from insight.statistics.daily_rollups import DailyRollups, ProjectDay, Tally
from insight.statistics.period import Period
from insight.statistics.selection import Selection
from pneumoml.statistics import drift


@dataclass(frozen=True)
class Weeks:
    """One tally a week of `period`: over projects that show their results, and over those that hide them.

    Scores of `hidden` must not be shown: they cover films that the person has not signed. `opened` counts
    the hidden films that the person has signed, with scores of the selection's version.
    """

    period: Period
    shown: Sequence[Tally]
    hidden: Sequence[Tally]
    opened: Sequence[Tally]

    def last(self, count: int) -> "Weeks":
        """Return the last weeks."""
        period = Period(self.period.mondays[-count:])
        return Weeks(period, self.shown[-count:], self.hidden[-count:], self.opened[-count:])

    def first(self, count: int) -> "Weeks":
        """Return the first weeks."""
        period = Period(self.period.mondays[:count])
        return Weeks(period, self.shown[:count], self.hidden[:count], self.opened[:count])

    @property
    def all(self) -> list[Tally]:
        """Both together, for statistics that disclose no result."""
        both = [Tally() for _monday in self.period.mondays]
        for week, *parts in zip(both, self.shown, self.hidden, strict=True):
            for part in parts:
                week.add(part)
        return both

    @property
    def withheld(self) -> int:
        """The number of films whose AI result is withheld from the person."""
        hidden, opened = (sum(week.counts["films"] for week in weeks) for weeks in (self.hidden, self.opened))
        return hidden - opened


def weeks_of(selection: Selection, *, before: bool = False) -> Weeks:
    """Sum days into weeks, in a fixed number of queries; with `before`, as many weeks before too."""
    period = selection.period
    if before:
        period = Period.ending(period.last_day, 2 * len(period.mondays))
    shown, hidden = ([Tally() for _monday in period.mondays] for _kind in range(2))
    projects = [project.pk for project in selection.projects]
    sums = DailyRollups(projects, period.first_day, period.last_day, wanted=("waits", "scores", "sites"))
    hiding = set(selection.hiding)

    def week_of(place: ProjectDay) -> Tally:
        project, day = place
        return (hidden if project in hiding else shown)[(day - period.first_day).days // 7]

    sums.add_to(week_of)
    return Weeks(period, shown, hidden, _opened(selection, period))


def _opened(selection: Selection, period: Period) -> list[Tally]:
    """Count the films that the person has signed in projects that hide results, and their scores."""
    weeks = [Tally() for _monday in period.mondays]
    if not selection.hiding:
        return weeks
    counted = (
        selection.opened(period)
        .filter(project__in=selection.hiding, disclosures__reader=selection.user)  # what AI_SHOWN asks here
        .annotate(result=selection.result())
        .order_by()
        .values(week=period.week_of("created_at"), bin=_bin_of("result__calibrated_probability"))
        .annotate(films=Count("pk"))
    )
    for row in counted:
        tally = weeks[row["week"]]
        tally.counts["films"] += row["films"]
        if row["bin"] is not None:
            tally.scores[selection.version_key][row["bin"]] = row["films"]
    return weeks


def _bin_of(score: str) -> Case:
    """Return the expression for a score's bin, 0 for the lowest; nothing where there is no score."""
    ends = [number / drift.BINS for number in range(1, drift.BINS)]
    cases = [When(**{f"{score}__lt": end}, then=Value(number)) for number, end in enumerate(ends)]
    none = When(**{f"{score}__isnull": True}, then=Value(None))
    return Case(none, *cases, default=Value(len(ends)), output_field=IntegerField())
