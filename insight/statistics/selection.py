"""The films that statistics count: visible to the person, by project, weeks and model version."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import FilteredRelation, Q

from diagnosis.models import AI_SHOWN, ModelVersion, Prediction, Project, Study, StudyQuerySet
from insight.statistics.period import Period


@dataclass(frozen=True)
class Selection:
    """A selection; `project` None means all of the person's. Films count by the time of their upload."""

    user: User
    period: Period
    project: Project | None = None
    version: ModelVersion | None = None

    @cached_property
    def projects(self) -> list[Project]:
        """The projects counted."""
        return [self.project] if self.project else list(Project.objects.visible_to(self.user).order_by("pk"))

    @cached_property
    def hiding(self) -> list[int]:
        """Keys of those that hide the AI result from the person on films that they have not signed."""
        return [project.pk for project in self.projects if project.hides_results_from(self.user)]

    @property
    def version_key(self) -> int:
        """The key of the model version, 0 without one."""
        return self.version.pk if self.version else 0

    def result(self, way: str = "") -> FilteredRelation:
        """Return the join of a film's result by the model version; `way` is the path to the film.

        At most one, by `one_live_prediction_per_version`.
        """
        predictions = f"{way}__predictions" if way else "predictions"
        of_version = {f"{predictions}__model_version": self.version_key}
        succeeded = {f"{predictions}__status": Prediction.Status.SUCCEEDED}
        return FilteredRelation(predictions, condition=Q(**of_version, **succeeded))

    def films(self) -> StudyQuerySet:
        """Return the films for statistics that disclose no result: volumes and times."""
        return self._within(self.period)

    def opened(self, period: Period | None = None) -> StudyQuerySet:
        """Return the films whose AI result is shown to the person; results are counted from these alone.

        In a project that hides results from readers these are the films they have signed: a total over others
        would disclose results of films they have yet to read. `period` replaces the selection's.
        """
        return self._within(period or self.period).filter(AI_SHOWN)

    def _within(self, period: Period) -> StudyQuerySet:
        films = Study.objects.visible_to(self.user).filter(
            created_at__gte=period.start, created_at__lt=period.end
        )
        return films.filter(project=self.project) if self.project else films
