"""Serves the OpenAPI description and its page, with scripts of our own server only."""

from typing import Any

from django.conf import settings
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """The description as YAML, or as JSON where that is accepted."""

    authentication_classes = []


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files; its script is a separate request, as the CSP demands."""

    schema = None
    authentication_classes = []
    template_name = "api/docs.html"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send the page, or its script."""
        parent: Any = super()  # the library has no types
        response: Response = parent.get(request, *args, **kwargs)
        response.data["disclaimer"] = settings.DISCLAIMER
        return response
