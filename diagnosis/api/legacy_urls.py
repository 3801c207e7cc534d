"""Addresses outside /api/v1/ for programs: the first version's two, and the probes."""

from django.urls import path

from diagnosis.api.seed import PredictView
from diagnosis.views.health import HealthView, LivenessView, ReadinessView

urlpatterns = [
    path("predict", PredictView.as_view(), name="predict"),
    path("health", HealthView.as_view(), name="health"),
    path("healthz", LivenessView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
]
