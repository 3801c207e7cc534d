"""How a door reaches one film: visible to the person or not found; and how a refusal is shown."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from diagnosis.errors import Refused
from diagnosis.models import Prediction, Study
from diagnosis.roles import AnyUser

View = Callable[..., HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """Return the person behind a request that `login_required` has let through."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This view lacks login_required.")
    return user


def films_for(user: AnyUser) -> QuerySet[Study]:
    """Return the films that `user` may see, with project, site, uploader and predictions read along."""
    predictions = Prediction.objects.select_related("model_version")
    return (
        Study.objects.visible_to(user)
        .select_related("project", "site", "uploaded_by")
        .prefetch_related(Prefetch("predictions", queryset=predictions))
    )


def film_or_404(request: HttpRequest, uid: object) -> Study:
    """Return the film, or raise Http404 alike for one that is not there and one that is not theirs."""
    return get_object_or_404(films_for(request.user), uid=uid)


def refused(request: HttpRequest, refusal: Refused, *, study: Study) -> HttpResponse:
    """Show why something was not done with a film, with the refusal's own HTTP status and a way back."""
    context = {"refusal": refusal, "study": study}
    return render(request, "diagnosis/study_refused.html", context, status=refusal.http_status)


def live_partial(view: View) -> View:
    """Guard a part of a page that asks for itself again: when its film has gone, the page is loaded anew."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return HttpResponse(status=404, headers={"HX-Refresh": "true"})

    return guarded
