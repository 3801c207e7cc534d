"""Full addresses of named places."""

from typing import Any

from django.urls import reverse
from rest_framework.request import Request


def absolute(request: Request, name: str, **kwargs: Any) -> str:
    """Return the full address of a named place."""
    return str(request.build_absolute_uri(reverse(name, kwargs=kwargs)))
