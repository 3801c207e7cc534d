"""Addresses of the auditor's page, the banner, the probes and the metrics."""

from django.urls import path

from operations.api.health import HealthView, LivenessView, ReadinessView
from operations.views import audit, banner
from operations.views.metrics import metrics

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("healthz", LivenessView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("banner/", banner.system_banner, name="system-banner"),
    path("audit/", audit.trail, name="audit"),
    path("audit/verify/", audit.verify, name="audit-verify"),
]
