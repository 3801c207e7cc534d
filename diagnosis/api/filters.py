"""What lists can be narrowed by. An unknown filter or value is an error: a typo must not show everything."""

from collections.abc import Sequence, Set
from typing import Any

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from diagnosis import search
from diagnosis.models import (
    AI_SHOWN,
    AuditEvent,
    ModelVersion,
    Prediction,
    Project,
    Site,
    Study,
    StudyQuerySet,
)

_PAGING = {"cursor", "page_size"}


def check_query(
    sent: QueryDict,
    known: Sequence[str],
    *,
    kind: str,
    others: Set[str] = frozenset(),
    may_be_empty: Set[str] = frozenset(),
) -> None:
    """Refuse names that are neither `known` nor among `others`, and names without a value.

    Raises ValidationError naming one; `kind` is the word for them in its sentence.
    """
    for name in set(sent) - set(known) - others:
        raise ValidationError({name: f"There is no such {kind}. There are {', '.join(known)}."})
    for name, value in sent.items():
        if not value and name not in may_be_empty:
            raise ValidationError({name: f"This {kind} has no value. Give it one, or leave it out."})


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # the library has no types
    """Filters by the view's filterset, and refuses parameters that are none of it."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the narrowed queryset; raises ValidationError naming the parameter."""
        if view.detail:  # one object is asked for by its id, not by filters
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        texts = {
            name for name, one in filterset.filters.items() if isinstance(one, django_filters.CharFilter)
        }
        check_query(
            request.query_params, sorted(filterset.filters), kind="filter", others=_PAGING, may_be_empty=texts
        )
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        narrowed: QuerySet[Any] = filterset.qs
        return narrowed


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
        """Look where the AI result is not withheld."""
        return search.with_outcome(studies, outcome)

    def by_site(self, studies: StudyQuerySet, name: str, code: str) -> StudyQuerySet:
        """Find the sites first, and their films by an index."""
        return studies.filter(site__in=list(Site.objects.filter(code__iexact=code)))

    def by_uploader(self, studies: StudyQuerySet, name: str, username: str) -> StudyQuerySet:
        """Find the person first, and their films by an index."""
        return studies.filter(uploaded_by=Subquery(User.objects.filter(username=username).values("pk")))

    def by_words(self, studies: StudyQuerySet, name: str, words: str) -> StudyQuerySet:
        """Search as the pages do."""
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
        """Look among the results that are not withheld."""
        return predictions.filter(AI_SHOWN, outcome=outcome)


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the audit trail."""

    verb = django_filters.CharFilter()
    actor = django_filters.CharFilter(field_name="actor_name", label="User name, or “system”.")
    object_type = django_filters.CharFilter()
    object_id = django_filters.CharFilter()
    at_after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    at_before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields: list[str] = []
