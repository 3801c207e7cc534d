"""Pages of the audit trail and of workers in the administration."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

import diagnosis.admin.people  # noqa: F401 - registers its pages
from accounts.admin_site import ReadOnlyAdmin, ValuesByIndex, admin_site, as_json
from audit.models import AuditEvent
from diagnosis.models import WorkerStatus


@admin.register(AuditEvent, site=admin_site)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["seq", "at", "actor_name", "verb", "object_type", "object_id"]
    list_filter = [("verb", ValuesByIndex), ("object_type", ValuesByIndex), "at"]
    search_fields = ["=actor_name", "=verb", "=object_id"]
    search_help_text = _("A user name, a verb or an object's id, in full.")
    fields = [
        "seq",
        "at",
        "actor_name",
        "actor_id",
        "verb",
        "object_type",
        "object_id",
        "what",
        "previous_hash",
        "hash",
    ]

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> SafeString:
        """Show the details as text."""
        return as_json(event.details)


@admin.register(WorkerStatus, site=admin_site)
class WorkerStatusAdmin(ReadOnlyAdmin):
    """Each worker's last heartbeat."""

    list_display = ["name", "last_seen_at", "loaded_version", "started_at"]
