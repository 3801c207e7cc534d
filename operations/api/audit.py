"""The audit trail in the API."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.roles import may_audit
from accounts.tokens import AUDIT
from audit.filters import AuditFilter
from audit.models import AuditEvent
from audit.serializers import AuditEventSerializer
from core.api.filters import StrictFilterBackend
from core.api.pagination import KeysetPagination


class MayAudit(BasePermission):
    """Auditors and administrators."""

    message = "Only auditors and administrators read the audit trail."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the roles."""
        return may_audit(request.user)


@extend_schema_view(list=extend_schema(summary="List the audit trail, newest first"))
class AuditViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AuditEvent]):
    """Everything that was done, by whom; for auditors and administrators."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    permission_classes = [IsAuthenticated, MayAudit]
    read_scope = AUDIT
    pagination_class = KeysetPagination
    filter_backends = [StrictFilterBackend]
    filterset_class = AuditFilter
