"""What every page may use: the disclaimer and what the signed-in person may do."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from diagnosis import roles


def reading_room(request: HttpRequest) -> dict[str, Any]:
    """Template context shared by all pages."""
    user = getattr(request, "user", None)
    if user is None:
        return {"disclaimer": settings.DISCLAIMER}
    return {
        "disclaimer": settings.DISCLAIMER,
        "may_upload": roles.may_upload(user),
        "may_review": roles.may_review(user),
        "may_audit": roles.may_audit(user),
        "may_administer": roles.may_administer(user),
    }
