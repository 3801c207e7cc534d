"""Statistics through the API: the dashboard's figures as JSON, for the same selection."""

import re
from datetime import date
from typing import Any

from django.http import QueryDict
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.actor import actor_of
from core.api.filters import check_query
from insight.forms import SelectionForm
from insight.statistics.dashboard import dashboard_of
from insight.statistics.figure import Figure
from insight.statistics.period import LENGTHS

PARAMETERS = ("project", "weeks", "until", "version")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # the dashboard's form reads other ways to write a day too


class FigureSerializer(serializers.Serializer[Any]):
    """One figure of the dashboard as a table."""

    key = serializers.CharField()
    title = serializers.CharField()
    n = serializers.IntegerField(help_text="How many films, results or reads it rests on.")
    unit = serializers.CharField()
    too_few = serializers.CharField(help_text="Why nothing is concluded; empty where something is.")
    notes = serializers.ListField(child=serializers.CharField())
    method = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True)),
        help_text="One list a row, in the order of the columns; shares from 0 to 1, durations in seconds.",
    )


class StatisticsSerializer(serializers.Serializer[Any]):
    """The figures, and which films they are about."""

    project = serializers.CharField(allow_null=True, help_text="Slug; null for all of your projects.")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    model_version = serializers.CharField(allow_null=True)
    films_withheld = serializers.IntegerField(
        help_text="Films whose AI result is hidden from you: no figure about results or reads counts them."
    )
    figures = FigureSerializer(many=True)
    disclaimer = serializers.CharField()


class StatisticsView(APIView):
    """Volumes, times, agreement, accuracy against reads, and drift, of films uploaded in whole weeks."""

    @extend_schema(
        summary="Statistics of your projects, or of one",
        parameters=[
            OpenApiParameter("project", str, description="Slug; all of your projects unless given."),
            OpenApiParameter("weeks", int, enum=LENGTHS, description="How many weeks; 12 unless given."),
            OpenApiParameter("until", date, description="A day of the last week; today unless given."),
            OpenApiParameter("version", str, description="Model version; the active one unless given."),
        ],
        responses=StatisticsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Work the figures out; columns and words are English."""
        _check_written_as_described(request.query_params)
        form = SelectionForm(request.query_params, user=actor_of(request))
        if not form.is_valid():
            raise ValidationError(
                {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            )
        selection = form.selection()
        with translation.override("en-gb"):
            dashboard = dashboard_of(selection)
            figures = [_as_json(figure) for figure in dashboard.figures]
        return Response(
            {
                "project": selection.project.slug if selection.project else None,
                "first_day": selection.period.first_day,
                "last_day": selection.period.last_day,
                "model_version": selection.version.version if selection.version else None,
                "films_withheld": dashboard.withheld,
                "figures": figures,
            }
        )


def _check_written_as_described(sent: QueryDict) -> None:
    check_query(sent, PARAMETERS, kind="parameter")
    if "until" in sent and not _DAY.fullmatch(str(sent["until"])):
        raise ValidationError({"until": "Write the day as year, month and day, like 2026-01-31."})


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        "key": figure.key,
        "title": figure.title,
        "n": figure.n,
        "unit": figure.unit,
        "too_few": figure.too_few,
        "notes": list(figure.sentences),
        "method": figure.method,
        "columns": [column.name for column in figure.columns],
        "rows": figure.rows,
    }
