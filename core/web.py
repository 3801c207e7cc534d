"""Helpers of page views: who is signed in, pages of refusals, and partials that reload their page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from core.errors import Refused
from core.http_status import status_of

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


def live_partial(view: View) -> View:
    """Guard a part of a page that asks for itself again: when its film has gone, the page is loaded anew."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return HttpResponse(status=404, headers={"HX-Refresh": "true"})

    return guarded
