"""Which films a statistic counts: visible to the person, of a project or all, of some weeks, by one model."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from diagnosis.models import AI_SHOWN, ModelVersion, Project, Study, StudyQuerySet
from insight.period import Period
from reading.models import OTHERS_SHOWN, with_opinions


@dataclass(frozen=True)
class Selection:
    """What somebody asked for. `project` None stands for all of theirs; films count by when they came in."""

    user: User
    period: Period
    project: Project | None = None
    version: ModelVersion | None = None

    def films(self) -> StudyQuerySet:
        """Return the films for what gives no result away: how many came, and how fast they were read."""
        return self._within(self.period)

    def read_films(self) -> StudyQuerySet:
        """Return the films whose AI result and all of whose reads the person may know."""
        return with_opinions(self.opened(), self.user).filter(OTHERS_SHOWN)

    def opened(self, period: Period | None = None) -> StudyQuerySet:
        """Return the films whose AI result the person may know: all that results are counted from.

        In a project that hides the result from readers these are the ones they have signed a read of. A total
        over other films would tell of those that still wait for them. `period` replaces the own one.
        """
        return self._within(period or self.period).filter(AI_SHOWN)

    def _within(self, period: Period) -> StudyQuerySet:
        films = Study.objects.visible_to(self.user).filter(
            created_at__gte=period.start, created_at__lt=period.end
        )
        return films.filter(project=self.project) if self.project else films
