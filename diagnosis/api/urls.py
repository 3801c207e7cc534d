"""Addresses under /api/v1/ but for studies and reviews, which are in reading.api.urls."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from diagnosis.api.auth import LoginView, LogoutAllView, LogoutView
from diagnosis.api.docs import DocsView, SchemaView
from diagnosis.api.views import AuditViewSet, ModelVersionViewSet, PredictionViewSet, ProjectViewSet

router = SimpleRouter(use_regex_path=False)
router.register("predictions", PredictionViewSet, basename="api-prediction")
router.register("models", ModelVersionViewSet, basename="api-model")
router.register("projects", ProjectViewSet, basename="api-project")
router.register("audit", AuditViewSet, basename="api-audit")

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
    path("", include(router.urls)),
]
