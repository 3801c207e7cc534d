"""The sums over films of a selection by week, apart by whether results are hidden from the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from diagnosis.models import AI_SHOWN
from insight.period import Period
from insight.selection import Selection
from insight.summary import Sums, Tally


@dataclass(frozen=True)
class Weeks:
    """One tally a week of `period`: over projects that show their results, and over those that hide them.

    Of `hidden` no score may be told, since it sums up films that the person has not signed.
    """

    period: Period
    shown: Sequence[Tally]
    hidden: Sequence[Tally]

    def last(self, count: int) -> "Weeks":
        """Return the last weeks."""
        period = Period(self.period.mondays[-count:])
        return Weeks(period, self.shown[-count:], self.hidden[-count:])

    def first(self, count: int) -> "Weeks":
        """Return the first weeks."""
        return Weeks(Period(self.period.mondays[:count]), self.shown[:count], self.hidden[:count])

    @property
    def all(self) -> list[Tally]:
        """Both together: for what gives no result away."""
        both = [Tally() for _monday in self.period.mondays]
        for week, *parts in zip(both, self.shown, self.hidden, strict=True):
            for part in parts:
                week.add(part)
        return both


def weeks_of(selection: Selection, *, before: bool = False) -> Weeks:
    """Add the days up to weeks, in a fixed number of queries; with `before`, of as many weeks before too."""
    period = selection.period
    if before:
        period = Period.ending(period.last_day, 2 * len(period.mondays))
    shown, hidden = ([Tally() for _monday in period.mondays] for _kind in range(2))
    projects = [project.pk for project in selection.projects]
    sums = Sums(projects, period.first_day, period.last_day, wanted=("waits", "scores", "sites"))
    for (project, day), tally in sums.by_day().items():
        week = (day - period.first_day).days // 7
        (hidden if project in selection.hiding else shown)[week].add(tally)
    return Weeks(period, shown, hidden)


def withheld_of(selection: Selection, weeks: Weeks) -> int:
    """Count the films of these weeks whose AI result is withheld from the person."""
    hidden = sum(week.counts["films"] for week in weeks.hidden)
    if not hidden:
        return 0
    opened = selection.films().filter(AI_SHOWN, project__in=selection.hiding)
    return hidden - opened.order_by().count()
