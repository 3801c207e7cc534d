"""Helpers of page views: who is signed in, refusals, downloads, and partials that reload their page."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.files.base import File
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import render

from core.errors import Refused
from core.http_status import status_of

# A browser shows such an answer as nothing but the media type it is sent with, and runs nothing in it.
SANDBOX_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}

View = Callable[..., HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """Return the person behind a request that `login_required` has let through."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This view lacks login_required.")
    return user


def refusal_page(request: HttpRequest, template: str, refusal: Refused, **context: Any) -> HttpResponse:
    """Render a page that says why something was refused, with the refusal's HTTP status."""
    return render(request, template, {"refusal": refusal, **context}, status=status_of(refusal))


def attachment(
    content: "bytes | File[bytes] | IO[bytes] | Iterable[bytes]",
    content_type: str,
    name: str,
    *,
    same_origin: bool = False,
) -> HttpResponseBase:
    """Answer with a file to be saved, which no cache keeps; an open file is closed at the end.

    With `same_origin` no page of another site can embed it.
    """
    response: HttpResponseBase
    if isinstance(content, bytes):
        response = HttpResponse(content, content_type=content_type)
    elif hasattr(content, "read"):
        response = FileResponse(content, content_type=content_type)
    else:
        response = StreamingHttpResponse(content, content_type=content_type)
    for header, value in SANDBOX_HEADERS.items():
        response[header] = value
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    if same_origin:
        response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def live_partial(view: View) -> View:
    """Guard a polling part of a page: when its film is gone, the page is reloaded."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return HttpResponse(status=404, headers={"HX-Refresh": "true"})

    return guarded
