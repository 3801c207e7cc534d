"""Read-only views of the API: predictions, model versions, projects."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets

from core.api.filters import StrictFilterBackend
from core.api.pagination import KeysetPagination
from diagnosis.api.filters import PredictionFilter
from diagnosis.api.serializers import (
    ModelCardSerializer,
    ModelVersionSerializer,
    PredictionDetailSerializer,
    PredictionSerializer,
    ProjectSerializer,
)
from diagnosis.models import ModelVersion, Prediction, Project


@extend_schema_view(
    list=extend_schema(summary="List predictions, newest first"),
    retrieve=extend_schema(summary="Show one prediction with its Grad-CAM map as numbers"),
)
class PredictionViewSet(viewsets.ReadOnlyModelViewSet[Prediction]):
    """Runs of model versions on the films that the caller may see."""

    queryset = Prediction.objects.none()
    pagination_class = KeysetPagination
    filter_backends = [StrictFilterBackend]
    filterset_class = PredictionFilter
    lookup_field = "uid"
    lookup_url_kwarg = "uid"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Prediction]:
        """Return the predictions of visible films; in lists without maps and cards."""
        visible = Prediction.objects.visible_to(self.request.user)
        predictions = visible.select_related("study", "model_version")
        return predictions if self.detail else predictions.defer("cam", "model_version__card")

    def get_serializer_class(self) -> type[PredictionSerializer]:
        """Include the map only for a single prediction."""
        return PredictionDetailSerializer if self.detail else PredictionSerializer


@extend_schema_view(
    list=extend_schema(summary="List the registered model versions"),
    retrieve=extend_schema(summary="Show one model version with its card"),
)
class ModelVersionViewSet(viewsets.ReadOnlyModelViewSet[ModelVersion]):
    """Versions of the network that are or were in use here."""

    queryset = ModelVersion.objects.all()
    pagination_class = KeysetPagination
    filter_backends = []
    lookup_field = "version"

    def get_serializer_class(self) -> type[ModelVersionSerializer]:
        """Include the card only for a single version."""
        return ModelCardSerializer if self.detail else ModelVersionSerializer


@extend_schema_view(list=extend_schema(summary="List the projects that you work in"))
class ProjectViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Project]):
    """Collections of films; membership decides who sees them."""

    queryset = Project.objects.none()
    serializer_class = ProjectSerializer
    pagination_class = KeysetPagination
    keyset = ("slug",)
    filter_backends = []

    def get_queryset(self) -> QuerySet[Project]:
        """Return the caller's projects."""
        return Project.objects.visible_to(self.request.user).prefetch_related("sites")
