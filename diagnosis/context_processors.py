"""Template context of every page: disclaimer, and the signed-in person's rights and preferences."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import roles
from accounts.preferences import preferences_of
from diagnosis.models import Notification


def reading_room(request: HttpRequest) -> dict[str, Any]:
    """Return the template context shared by all pages."""
    user = getattr(request, "user", None)
    if user is None:
        return {"disclaimer": settings.DISCLAIMER, "languages": settings.LANGUAGES}
    return {
        "disclaimer": settings.DISCLAIMER,
        "languages": settings.LANGUAGES,
        "preferences": preferences_of(user),
        "unread": lambda: Notification.objects.visible_to(user).unread().count(),
        "may_upload": roles.may_upload(user),
        "may_review": roles.may_review(user),
        "may_export": roles.may_export(user),
        "may_audit": roles.may_audit(user),
        "may_administer": roles.may_administer(user),
        "admin_needs_second_factor": settings.ADMIN_SECOND_FACTOR,
    }
