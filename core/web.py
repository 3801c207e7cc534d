"""Helpers of page views: who is signed in, and partials that reload the page when their film has gone."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

View = Callable[..., HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """Return the person behind a request that `login_required` has let through."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This view lacks login_required.")
    return user


def live_partial(view: View) -> View:
    """Guard a part of a page that asks for itself again: when its film has gone, the page is loaded anew."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return HttpResponse(status=404, headers={"HX-Refresh": "true"})

    return guarded
