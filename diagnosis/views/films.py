"""How a door reaches one film: visible to the person or not found; and how a refusal is shown."""

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from core.errors import Refused
from core.users import AnyUser
from core.web import refusal_page
from diagnosis.models import Prediction, Study


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
    return refusal_page(request, "diagnosis/study_refused.html", refusal, study=study)
