"""Addresses under /api/v1/ but for studies and reviews, which are in reading.api.urls."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from diagnosis.api.auth import LoginView, LogoutAllView, LogoutView, TokensView, TokenView
from diagnosis.api.batches import BatchViewSet
from diagnosis.api.docs import DocsView, SchemaView
from diagnosis.api.views import AuditViewSet, ModelVersionViewSet, PredictionViewSet, ProjectViewSet

router = SimpleRouter(use_regex_path=False)
router.register("batches", BatchViewSet, basename="api-batch")
router.register("predictions", PredictionViewSet, basename="api-prediction")
router.register("models", ModelVersionViewSet, basename="api-model")
router.register("projects", ProjectViewSet, basename="api-project")
router.register("audit", AuditViewSet, basename="api-audit")

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    path("auth/tokens/", TokensView.as_view(), name="api-token-list"),
    path("auth/tokens/<str:prefix>/", TokenView.as_view(), name="api-token"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
    path("", include(router.urls)),
]
