"""Periods of whole weeks, Monday to Sunday, in the installation's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

DEFAULT_WEEKS = 12
LENGTHS = (4, 12, 26, 52)


@dataclass(frozen=True)
class Period:
    """Consecutive weeks that begin on these Mondays."""

    mondays: tuple[date, ...]

    @classmethod
    def ending(cls, until: date, weeks: int) -> "Period":
        """Return `weeks` whole weeks (at least one), the last being that of `until`."""
        last = until - timedelta(days=until.weekday())
        return cls(tuple(last - timedelta(weeks=back) for back in reversed(range(weeks))))

    @property
    def first_day(self) -> date:
        """The first Monday."""
        return self.mondays[0]

    @property
    def last_day(self) -> date:
        """The last Sunday."""
        return self.mondays[-1] + timedelta(days=6)

    @property
    def start(self) -> datetime:
        """The first moment of the period."""
        return _midnight(self.first_day)

    @property
    def end(self) -> datetime:
        """The first moment after the period."""
        return _midnight(self.last_day + timedelta(days=1))

    @property
    def before(self) -> "Period":
        """As many weeks just before this period."""
        return Period.ending(self.first_day - timedelta(days=1), len(self.mondays))

    def week_of(self, field: str) -> Case:
        """Return the expression for a moment's week: 0 for the first one; the moment lies in the period.

        Plain comparisons: truncating a million dates would cost SQLite a Python call for each.
        """
        ends = [_midnight(monday) for monday in self.mondays[1:]]
        cases = [When(**{f"{field}__lt": end}, then=Value(number)) for number, end in enumerate(ends)]
        return Case(*cases, default=Value(len(ends)), output_field=IntegerField())


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
