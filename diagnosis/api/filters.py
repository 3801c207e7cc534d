"""Filters of the lists of films and predictions."""

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest

from diagnosis.models import AI_SHOWN, ModelVersion, Prediction, Project, Site, Study, StudyQuerySet
from diagnosis.studies import search


def visible_projects(request: HttpRequest | None) -> QuerySet[Project]:
    """Return the projects that may be filtered by."""
    if request is None:
        return Project.objects.none()
    return Project.objects.visible_to(request.user)


class StudyFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of studies."""

    status = django_filters.ChoiceFilter(
        field_name="result_status",
        choices=Prediction.Status.choices,
        label="Status of the newest prediction.",
    )
    outcome = django_filters.ChoiceFilter(
        method="by_outcome",
        choices=Prediction.Outcome.choices,
        label="Outcome of the newest prediction.",
    )
    project = django_filters.ModelChoiceFilter(queryset=visible_projects, to_field_name="slug")
    site = django_filters.CharFilter(method="by_site", label="Code of the site, in capitals or not.")
    uploaded_by = django_filters.CharFilter(method="by_uploader", label="User name.")
    subject_code = django_filters.CharFilter()
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label="ISO 8601 date or time, included."
    )
    created_before = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", label="ISO 8601 date or time, not included."
    )
    q = django_filters.CharFilter(
        method="by_words", label="How reference, subject code or uploader begin, or an id or SHA-256."
    )

    class Meta:
        model = Study
        fields: list[str] = []

    def by_outcome(self, studies: StudyQuerySet, name: str, outcome: str) -> StudyQuerySet:
        """Keep the films with this outcome where it is not withheld."""
        return search.with_outcome(studies, outcome)

    def by_site(self, studies: StudyQuerySet, name: str, code: str) -> StudyQuerySet:
        """Keep the films of the sites with this code; two queries, so that an index is used."""
        return studies.filter(site__in=list(Site.objects.filter(code__iexact=code)))

    def by_uploader(self, studies: StudyQuerySet, name: str, username: str) -> StudyQuerySet:
        """Keep the films of this person; a subquery, so that an index is used."""
        return studies.filter(uploaded_by=Subquery(User.objects.filter(username=username).values("pk")))

    def by_words(self, studies: StudyQuerySet, name: str, words: str) -> StudyQuerySet:
        """Keep the films that fit every word, as the pages' search does."""
        return search.matching(studies, words)


class PredictionFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of predictions."""

    status = django_filters.ChoiceFilter(choices=Prediction.Status.choices)
    outcome = django_filters.ChoiceFilter(
        method="by_outcome", choices=Prediction.Outcome.choices, label="Withheld results have none."
    )
    study = django_filters.UUIDFilter(field_name="study__uid", label="Id of the study.")
    project = django_filters.ModelChoiceFilter(
        field_name="study__project", queryset=visible_projects, to_field_name="slug"
    )
    model_version = django_filters.ModelChoiceFilter(
        queryset=ModelVersion.objects.all(), to_field_name="version"
    )

    class Meta:
        model = Prediction
        fields: list[str] = []

    def by_outcome(self, predictions: QuerySet[Prediction], name: str, outcome: str) -> QuerySet[Prediction]:
        """Keep the predictions with this outcome where it is not withheld."""
        return predictions.filter(AI_SHOWN, outcome=outcome)
