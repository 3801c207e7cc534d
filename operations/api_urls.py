"""Addresses of the audit trail under /api/v1/."""

from rest_framework.routers import SimpleRouter

from operations.api import AuditViewSet

router = SimpleRouter(use_regex_path=False)
router.register("audit", AuditViewSet, basename="api-audit")

urlpatterns = router.urls
