"""Which films a statistic counts: visible to the person, of a project or all, of some weeks, by one model."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import FilteredRelation, Q

from diagnosis.models import AI_SHOWN, ModelVersion, Prediction, Project, Study, StudyQuerySet
from insight.statistics.period import Period


@dataclass(frozen=True)
class Selection:
    """What somebody asked for. `project` None stands for all of theirs; films count by when they came in."""

    user: User
    period: Period
    project: Project | None = None
    version: ModelVersion | None = None

    @cached_property
    def projects(self) -> list[Project]:
        """The projects whose films are counted."""
        return [self.project] if self.project else list(Project.objects.visible_to(self.user).order_by("pk"))

    @cached_property
    def hiding(self) -> list[int]:
        """Of these, the ones that hide the AI result from the person on films that they have not signed."""
        return [project.pk for project in self.projects if project.hides_results_from(self.user)]

    @property
    def version_key(self) -> int:
        """The key of the model version, 0 without one."""
        return self.version.pk if self.version else 0

    def result(self, way: str = "") -> FilteredRelation:
        """Return the join of a film's result by the model version; `way` leads to the film.

        At most one: `one_live_prediction_per_version` holds that.
        """
        predictions = f"{way}__predictions" if way else "predictions"
        of_version = {f"{predictions}__model_version": self.version_key}
        succeeded = {f"{predictions}__status": Prediction.Status.SUCCEEDED}
        return FilteredRelation(predictions, condition=Q(**of_version, **succeeded))

    def films(self) -> StudyQuerySet:
        """Return the films for what gives no result away: how many came, and how fast they were read."""
        return self._within(self.period)

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
