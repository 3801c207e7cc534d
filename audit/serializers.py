"""What the API shows of audit events."""

from rest_framework import serializers

from audit.models import AuditEvent


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One entry of the audit trail."""

    class Meta:
        model = AuditEvent
        fields = [
            "seq",
            "at",
            "actor_name",
            "verb",
            "object_type",
            "object_id",
            "details",
            "previous_hash",
            "hash",
        ]
        read_only_fields = fields
