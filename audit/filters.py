"""Filters of the audit trail in the API."""

import django_filters

from audit.models import AuditEvent


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the audit trail."""

    verb = django_filters.CharFilter()
    actor = django_filters.CharFilter(field_name="actor_name", label="User name, or “system”.")
    object_type = django_filters.CharFilter()
    object_id = django_filters.CharFilter()
    at_after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    at_before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields: list[str] = []
