"""Addresses of batches, predictions, model versions and projects under /api/v1/."""

from rest_framework.routers import SimpleRouter

from diagnosis.api.batches import BatchViewSet
from diagnosis.api.views import ModelVersionViewSet, PredictionViewSet, ProjectViewSet

router = SimpleRouter(use_regex_path=False)
router.register("batches", BatchViewSet, basename="api-batch")
router.register("predictions", PredictionViewSet, basename="api-prediction")
router.register("models", ModelVersionViewSet, basename="api-model")
router.register("projects", ProjectViewSet, basename="api-project")

urlpatterns = router.urls
