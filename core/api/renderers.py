"""Renders JSON answers, which always carry the disclaimer."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.renderers import JSONRenderer


class DisclaimerJSONRenderer(JSONRenderer):
    """JSON with the disclaimer in every object, pages and errors included."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Add the disclaimer to an object and encode it."""
        if isinstance(data, dict):
            data = {**data, "disclaimer": settings.DISCLAIMER}
        encoded: bytes = super().render(data, accepted_media_type, renderer_context)
        return encoded
