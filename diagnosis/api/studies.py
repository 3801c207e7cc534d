"""Films in the API: send, list, show, delete, analyse again, fetch files. `reading` adds the reviews."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.tokens import UPLOAD
from core.api.actor import actor_of
from core.api.filters import StrictFilterBackend
from core.api.idempotency import IDEMPOTENCY_KEY, KEY_REFUSALS, idempotent
from core.api.pagination import KeysetPagination
from core.api.problem import ProblemSerializer
from diagnosis.api.files import WhateverIsAccepted, file_response
from diagnosis.api.filters import StudyFilter
from diagnosis.api.serializers import (
    PredictionSerializer,
    StudySerializer,
    SubmittedStudySerializer,
)
from diagnosis.api.submissions import BODIES, submit
from diagnosis.inference.requests import request_prediction
from diagnosis.models import Prediction, Study, StudyQuerySet, ai_hidden_from
from diagnosis.results.files import FILE_KINDS
from diagnosis.studies import search
from diagnosis.studies.access import record_api_view
from diagnosis.studies.blinding import as_seen_by
from diagnosis.studies.trash import move_to_trash
from pneumoml.explain.heatmap import COLOUR_MAPS, STYLES

_REFUSALS = {413: ProblemSerializer, 422: ProblemSerializer, 503: ProblemSerializer, 507: ProblemSerializer}


class FileKindConverter:
    """Matches the file kinds as part of an address; any other kind is not found."""

    regex = "|".join(FILE_KINDS)

    def to_python(self, value: str) -> str:
        """Return the kind."""
        return value

    def to_url(self, value: str) -> str:
        """Return the kind."""
        return value


@extend_schema_view(
    list=extend_schema(summary="List studies, newest first"),
    retrieve=extend_schema(summary="Show one study"),
    destroy=extend_schema(
        summary="Move a study to the trash (administrators)",
        responses={204: None, 404: ProblemSerializer},
    ),
)
class StudyViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Study]
):
    """Chest films of the caller's projects."""

    queryset = Study.objects.none()
    change_scope = UPLOAD
    serializer_class = StudySerializer
    pagination_class = KeysetPagination
    keyset = ("-created_at", "-pk")
    filter_backends = [StrictFilterBackend]
    filterset_class = StudyFilter
    lookup_field = "uid"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Study]:
        """Return the visible films; those of other projects and deleted ones are not found."""
        visible: StudyQuerySet = Study.objects.visible_to(self.request.user)
        return search.for_display(visible)

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit the rate of requests that create work, not of those that only read."""
        if self.request.method == "POST":
            self.throttle_scope = "upload"
        return super().get_throttles()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the study; seeing a result is an audited view, asking whether there is one is not."""
        study = self.get_object()
        record_api_view(actor=actor_of(request), study=study)
        return Response(self.get_serializer(study).data)

    @extend_schema(
        summary="Send a film, as a file or by URL",
        parameters=[IDEMPOTENCY_KEY],
        request=BODIES,
        responses={200: SubmittedStudySerializer, 201: SubmittedStudySerializer, **_REFUSALS, **KEY_REFUSALS},
        filters=False,
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Answer 201 once the film is stored and queued, 200 when the project had it already."""
        submission = submit(request)
        study = as_seen_by(request.user, submission.study)
        search.fetch_predictions(study)
        context = {**self.get_serializer_context(), "duplicate": not submission.created}
        data = SubmittedStudySerializer(study, context=context).data
        headers = {"Location": data["links"]["self"]}
        return Response(data, status=201 if submission.created else 200, headers=headers)

    def perform_destroy(self, instance: Study) -> None:
        """Move the film to the trash."""
        move_to_trash(actor=actor_of(self.request), study=instance)

    @extend_schema(
        methods=["GET"],
        summary="List the predictions of a study",
        responses={200: PredictionSerializer(many=True)},
        filters=False,
    )
    @extend_schema(
        methods=["POST"],
        summary="Ask for a new reading after a failure or with a new model version",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={201: PredictionSerializer, **_REFUSALS, **KEY_REFUSALS},
        filters=False,
    )
    @action(detail=True, methods=["get", "post"], url_path="predictions", url_name="predictions")
    def predictions(self, request: Request, uid: str) -> Response:
        """List the study's predictions, or queue a new one."""
        study = self.get_object()
        if request.method == "POST":
            return self._request_prediction(request, study)
        predictions = Prediction.objects.filter(study=study).select_related("study", "model_version")
        predictions = predictions.annotate(**ai_hidden_from(request.user, study="study"))
        pages = KeysetPagination()
        page = pages.paginate_queryset(predictions.defer("cam"), request)
        return pages.get_paginated_response(PredictionSerializer(page, many=True).data)

    @idempotent()
    def _request_prediction(self, request: Request, study: Study) -> Response:
        prediction = request_prediction(actor=actor_of(request), study=study)
        prediction.ai_hidden = study.ai_hidden
        return Response(PredictionSerializer(prediction).data, status=201)

    @extend_schema(
        summary="Fetch one file of a study",
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=FILE_KINDS),
            OpenApiParameter(
                "colour_map", str, enum=list(COLOUR_MAPS), description="For pictures of a result."
            ),
            OpenApiParameter("alpha", float, description="Opacity of the heat, 0 to 1; for overlays."),
            OpenApiParameter(
                "style", str, enum=list(STYLES), description="Coloured heat (default), or contour lines."
            ),
        ],
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            409: ProblemSerializer,
        },
        filters=False,
    )
    @action(
        detail=True,
        url_path="files/<filekind:kind>",
        url_name="file",
        content_negotiation_class=WhateverIsAccepted,
    )
    def file(self, request: Request, uid: str, kind: str) -> HttpResponseBase:
        """Send the file and record the download."""
        return file_response(request, self.get_object(), kind)
