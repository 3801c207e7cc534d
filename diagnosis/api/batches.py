"""Batches in the API: begin one (with a ZIP, or empty), add films, close it, query its progress."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.tokens import UPLOAD
from core.api.actor import actor_of
from core.api.idempotency import IDEMPOTENCY_KEY, KEY_REFUSALS, idempotent
from core.api.links import absolute
from core.api.pagination import KeysetPagination
from core.api.problem import ProblemSerializer
from core.errors import FilmRefused
from diagnosis.api.submissions import project_for
from diagnosis.batches import service
from diagnosis.batches.progress import progress_of
from diagnosis.intake.upload_handlers import archive_too_large, expect_archive, film_too_large
from diagnosis.models import Batch, BatchItem, Project, Study
from diagnosis.studies.sites import site_named

_REFUSALS = {
    400: ProblemSerializer,
    409: ProblemSerializer,
    413: ProblemSerializer,
    415: ProblemSerializer,
    422: ProblemSerializer,
    503: ProblemSerializer,
    507: ProblemSerializer,
}
_COUNTS = ["total", "to_come", "waiting", "accepted", "duplicate", "refused"]
_COUNTS += ["queued", "running", "failed", "ready", "above", "below", "hidden", "done"]


class ProgressSerializer(serializers.Serializer[Any]):
    """Numbers of a batch's files by outcome and of its films by state."""

    total = serializers.IntegerField(help_text="Files announced, or come so far where that is more.")
    to_come = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Files that still lie in the archive.")
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    refused = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    failed = serializers.IntegerField()
    ready = serializers.IntegerField(help_text="Films with a result, shown or hidden.")
    above = serializers.IntegerField(help_text="Shown results above the operating point.")
    below = serializers.IntegerField(help_text="Shown results below it.")
    hidden = serializers.IntegerField(
        help_text="Results that the project hides from you until you have signed."
    )
    done = serializers.IntegerField()


class BatchLinksSerializer(serializers.Serializer[Any]):
    """Where the batch's parts are."""

    self = serializers.URLField()
    page = serializers.URLField()
    films = serializers.URLField()
    files = serializers.URLField()
    close = serializers.URLField()


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch of films."""

    id = serializers.UUIDField(source="uid", read_only=True)
    reference = serializers.CharField(read_only=True, help_text="The short name, like B-0012.")
    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)
    site = serializers.CharField(source="site.code", read_only=True, default=None, allow_null=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = [
            "id",
            "reference",
            "project",
            "site",
            "codes_from_names",
            "created_by",
            "source",
            "state",
            "expected",
            "trouble",
            "created_at",
            "finished_at",
            "links",
        ]
        read_only_fields = fields

    @extend_schema_field(BatchLinksSerializer)
    def get_links(self, batch: Batch) -> dict[str, str]:
        """Return full addresses."""
        request = self.context["request"]
        names = {"self": "api-batch-detail", "page": "batch"}
        names |= {name: f"api-batch-{name}" for name in ("films", "files", "close")}
        return {name: absolute(request, address, batch=batch.uid) for name, address in names.items()}


class BatchDetailSerializer(BatchSerializer):
    """A batch with how far it is."""

    progress = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "progress"]
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, batch: Batch) -> dict[str, int]:
        """Count for the person who asks."""
        progress = progress_of(batch, self.context["request"].user)
        return {name: getattr(progress, name) for name in _COUNTS}


class BatchFileSerializer(serializers.ModelSerializer[BatchItem]):
    """What became of one file; told by its position, never by a name."""

    study = serializers.SlugRelatedField[Study](slug_field="uid", read_only=True, allow_null=True)

    class Meta:
        model = BatchItem
        fields = ["position", "byte_size", "sha256", "outcome", "study", "code", "message"]
        read_only_fields = fields


class TrueOrFalseField(serializers.BooleanField):
    """Takes true and false, in a form these words: a number or another word may have been meant otherwise."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value. Raises ValidationError for anything else."""
        if not isinstance(data, bool) and data not in ("true", "false"):
            self.fail("invalid", input=data)
        return data in (True, "true")


class NewBatchSerializer(serializers.Serializer[Any]):
    """A batch whose films follow one by one."""

    project = serializers.SlugField(
        required=False,
        max_length=60,
        help_text="Slug of the project. Without it: the project that is open to all, else your only one.",
    )
    site = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        help_text="Code of the project's site that all films come from.",
    )
    codes_from_names = TrueOrFalseField(
        required=False,
        default=False,
        help_text="A film's subject code is its file name in the archive up to the first underscore; of "
        "films that follow one by one, each comes with its code. A code has a digit; names are not stored.",
    )
    expected = serializers.IntegerField(required=False, min_value=1, help_text="How many films follow.")


class NewZipBatchSerializer(NewBatchSerializer):
    """A batch as a ZIP archive."""

    expected = None  # type: ignore[assignment]  # how REST framework leaves out an inherited field
    archive = serializers.FileField(help_text="A ZIP archive of films. Names in it are not stored.")


class BatchFilmSerializer(serializers.Serializer[Any]):
    """One film of a batch."""

    file = serializers.FileField(help_text="A chest film as JPEG, PNG or DICOM.")
    subject_code = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="The subject's code in your study."
    )


def _serializer_for(request: Request) -> type[NewBatchSerializer]:
    """Require an archive of every form: only a JSON body may begin an empty batch."""
    form = request.content_type.startswith("multipart/")
    with_archive = form or (isinstance(request.data, Mapping) and "archive" in request.data)
    return NewZipBatchSerializer if with_archive else NewBatchSerializer


@extend_schema_view(
    list=extend_schema(summary="List batches, newest first"),
    retrieve=extend_schema(summary="Show one batch and how far it is"),
)
class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Batch]):
    """Many films sent together, in the caller's projects."""

    queryset = Batch.objects.none()
    change_scope = UPLOAD
    pagination_class = KeysetPagination
    filter_backends = []
    lookup_field = "uid"
    lookup_url_kwarg = "batch"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Batch]:
        """Return the batches of visible projects."""
        return Batch.objects.visible_to(self.request.user).select_related("project", "site", "created_by")

    def get_serializer_class(self) -> type[BatchSerializer]:
        """Count only where one batch is asked for."""
        return BatchDetailSerializer if self.detail else BatchSerializer

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit what creates work, not what reads."""
        if self.request.method == "POST":
            self.throttle_scope = "upload"
        return super().get_throttles()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Allow a new batch an archive, before anything reads the body."""
        if request.method == "POST" and "batch" not in self.kwargs:
            expect_archive(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Begin a batch, with a ZIP archive or to be filled film by film",
        parameters=[IDEMPOTENCY_KEY],
        request={"multipart/form-data": NewZipBatchSerializer, "application/json": NewBatchSerializer},
        responses={201: BatchDetailSerializer, **_REFUSALS, **KEY_REFUSALS},
        filters=False,
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Answer 201 once the archive and a place for each of its files, or the empty batch, are stored."""
        data = request.data  # reads the body
        if getattr(request, "upload_was_too_large", False):
            raise archive_too_large()
        if not request.content_type:
            raise ParseError("Send a form with the archive, or JSON: {} begins an empty batch.")
        fields = _serializer_for(request)(data=data)
        fields.is_valid(raise_exception=True)
        project = project_for(request.user, fields.validated_data.get("project"))
        batch = self._create_batch(actor_of(request), project, fields.validated_data)
        body = BatchDetailSerializer(batch, context=self.get_serializer_context()).data
        return Response(body, status=201, headers={"Location": body["links"]["self"]})

    def _create_batch(self, actor: Any, project: Project, fields: dict[str, Any]) -> Batch:
        about = {
            "site": site_named(project=project, code=fields.get("site", "")),
            "codes_from_names": fields["codes_from_names"],
        }
        if "archive" in fields:
            return service.begin_zip_batch(
                actor=actor, project=project, archive=fields["archive"].file, **about
            )
        return service.begin_batch(actor=actor, project=project, expected=fields.get("expected"), **about)

    @extend_schema(
        summary="Add one film to a batch",
        request={"multipart/form-data": BatchFilmSerializer},
        responses={200: BatchFileSerializer, 201: BatchFileSerializer, **_REFUSALS},
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def films(self, request: Request, batch: str) -> Response:
        """Answer 201 for a film taken in, 200 for one that is here; a refusal is a problem, and noted."""
        data, found = request.data, self.get_object()
        if getattr(request, "upload_was_too_large", False):
            raise film_too_large()
        if len(request.FILES.getlist("file")) > 1:
            raise ValidationError({"file": "Send one film per request."})
        fields = BatchFilmSerializer(data=data)
        fields.is_valid(raise_exception=True)
        code = fields.validated_data.get("subject_code", "")
        file = fields.validated_data["file"]
        item, is_new = service.add_film(
            actor=actor_of(request), batch=found, data=file.read(), subject_code=code
        )
        if item.outcome == BatchItem.Outcome.REFUSED:
            raise FilmRefused(item.code, item.message)
        return Response(BatchFileSerializer(item).data, status=201 if is_new else 200)

    @extend_schema(
        methods=["GET"],
        summary="List what became of each file of a batch",
        responses={200: BatchFileSerializer(many=True)},
        filters=False,
    )
    @action(detail=True)
    def files(self, request: Request, batch: str) -> Response:
        """List the files in their order."""
        pages = KeysetPagination()
        self.keyset = ("position",)
        page = pages.paginate_queryset(self.get_object().items.select_related("study"), request, self)
        return pages.get_paginated_response(BatchFileSerializer(page, many=True).data)

    @extend_schema(
        summary="Close a batch: no more films follow",
        request=None,
        responses={200: BatchDetailSerializer, 409: ProblemSerializer},
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, batch: str) -> Response:
        """Close it; closing it again changes nothing."""
        found = self.get_object()
        service.close_batch(actor=actor_of(request), batch=found)
        found.refresh_from_db()
        return Response(BatchDetailSerializer(found, context=self.get_serializer_context()).data)
