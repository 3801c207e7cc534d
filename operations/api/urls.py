"""Addresses under /api/v1/audit/."""

from rest_framework.routers import SimpleRouter

from operations.api.audit import AuditViewSet

router = SimpleRouter(use_regex_path=False)
router.register("audit", AuditViewSet, basename="api-audit")

urlpatterns = router.urls
