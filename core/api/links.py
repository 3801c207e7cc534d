"""Absolute URLs of named routes."""

from typing import Any

from django.urls import reverse
from rest_framework.request import Request


def absolute(request: Request, name: str, **kwargs: Any) -> str:
    """Return the absolute URL of a named route."""
    return str(request.build_absolute_uri(reverse(name, kwargs=kwargs)))
