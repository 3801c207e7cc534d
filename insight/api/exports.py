"""Exports through the API: the rows as CSV and as Excel workbook, and the codebook."""

from collections.abc import Callable
from typing import cast

import django_filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from accounts.reauthentication import check_recently_authenticated
from core.api.actor import actor_of
from core.api.filters import StrictFilterBackend
from core.web import attachment
from diagnosis.api.files import WhateverIsAccepted
from diagnosis.models import Study, StudyQuerySet
from insight.exports import files
from insight.exports.http import CSV, XLSX, file_name
from insight.exports.service import CODE, USERNAME, Export, begin_export, check_may_export
from reading.api.filters import ReviewedStudyFilter

_XLSX_TYPE = (200, XLSX)


class ExportFilter(ReviewedStudyFilter):
    """The filters of studies, and how people are named."""

    people = django_filters.ChoiceFilter(
        method="by_nothing",
        choices=[(USERNAME, "User names"), (CODE, "Codes")],
        label="How people are named; user names unless code is asked for.",
    )

    def by_nothing(self, studies: StudyQuerySet, name: str, value: str) -> StudyQuerySet:
        """Keep every study: this is an option, not a filter."""
        return studies


class _ExportView(GenericAPIView[Study]):
    """Films, filters and checks that the exports share."""

    queryset = Study.objects.none()
    filter_backends = [StrictFilterBackend]
    filterset_class = ExportFilter
    content_negotiation_class = WhateverIsAccepted
    pagination_class = None
    detail = False

    def get_queryset(self) -> QuerySet[Study]:
        """Return the visible studies."""
        return Study.objects.visible_to(self.request.user)

    def _send(
        self, request: Request, kind: str, make: Callable[[Export], HttpResponseBase]
    ) -> HttpResponseBase:
        actor = actor_of(request)
        check_may_export(actor)
        if request.auth is None:  # no token, but the session of a page
            check_recently_authenticated(request._request)
        sent = {name: str(value)[:200] for name, value in request.query_params.items() if value}
        export = begin_export(
            actor=actor,
            studies=cast(StudyQuerySet, self.filter_queryset(self.get_queryset())),
            people=sent.pop("people", USERNAME),
            filters=sent,
            kind=kind,
            most_films=files.XLSX_MOST_ROWS if kind == "xlsx" else None,
        )
        return make(export)


class ReadsCsvView(_ExportView):
    """The rows as CSV."""

    @extend_schema(
        operation_id="exports_reads_csv",
        summary="Export one row a read as CSV (readers, auditors, administrators)",
        responses={(200, "text/csv"): OpenApiTypes.STR},
        filters=True,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send the rows while they are read; the codebook says what the columns mean."""
        return self._send(
            request,
            "csv",
            lambda export: attachment(files.reads_csv(export), CSV, file_name("reads", export.at, "csv")),
        )


class ReadsXlsxView(_ExportView):
    """The rows as an Excel workbook."""

    @extend_schema(
        operation_id="exports_reads_xlsx",
        summary="Export one row a read as Excel workbook (readers, auditors, administrators)",
        responses={_XLSX_TYPE: OpenApiTypes.BINARY},
        filters=True,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send the sheets reads, codebook and about."""
        return self._send(
            request,
            "xlsx",
            lambda export: attachment(files.reads_xlsx(export), XLSX, file_name("reads", export.at, "xlsx")),
        )


class CodebookView(GenericAPIView[Study]):
    """What the columns mean."""

    queryset = Study.objects.none()
    content_negotiation_class = WhateverIsAccepted
    pagination_class = None

    @extend_schema(
        operation_id="exports_codebook_csv",
        summary="Show what the columns of an export mean, as CSV",
        responses={(200, "text/csv"): OpenApiTypes.STR},
        filters=False,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send one row a column."""
        return attachment(files.codebook_csv(), CSV, file_name("codebook", timezone.now(), "csv"))
