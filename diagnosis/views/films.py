"""Helpers of pages of one film: the film if it is visible, else 404; and the page of a refusal."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from core.errors import Refused
from core.web import refusal_page
from diagnosis.models import Study
from diagnosis.studies.search import films_for


def film_or_404(request: HttpRequest, uid: object) -> Study:
    """Return the film. Raises Http404, the same whether it does not exist or is not visible."""
    return get_object_or_404(films_for(request.user), uid=uid)


def refused(request: HttpRequest, refusal: Refused, *, study: Study) -> HttpResponse:
    """Show why something was not done with a film, with the refusal's HTTP status and a link back."""
    return refusal_page(request, "diagnosis/study_refused.html", refusal, study=study)
