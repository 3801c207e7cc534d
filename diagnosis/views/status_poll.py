"""States of films: one request polls all unfinished films of a page."""

import uuid
from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from diagnosis.models import Study, newest_prediction
from diagnosis.studies.search import for_display

MAX_FILMS = 500
STOP_ASKING_AFTER = timedelta(minutes=15)
_STOP_POLLING = 286  # htmx swaps the content and polls no more


@csrf_exempt  # it changes nothing, and pages from before the present sign-in poll too
@login_required
@require_POST
def study_states(request: HttpRequest) -> HttpResponse:
    """Return the states that differ from what the page shows (`pending` = uid:status, many of them).

    POST, because hundreds of ids do not fit into an address. Polling stops when nothing is unfinished, or
    when a film waits so long that polling would only keep an unattended session alive.
    """
    shown = _shown(request)
    films = [
        study
        for study in for_display(Study.objects.visible_to(request.user)).filter(uid__in=shown)
        if newest_prediction(study)
    ]
    changed = [study for study in films if newest_prediction(study).status != shown[study.uid]]  # type: ignore[union-attr]
    unfinished = any(_is_worth_polling(study) for study in films)
    return render(
        request,
        "partials/film_states.html",
        {"studies": changed},
        status=200 if unfinished else _STOP_POLLING,
    )


def _shown(request: HttpRequest) -> dict[uuid.UUID, str]:
    pairs = (value.partition(":") for value in request.POST.getlist("pending")[:MAX_FILMS])
    return {uid: status for text, _, status in pairs if (uid := _uid(text)) is not None}


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _is_worth_polling(study: Study) -> bool:
    prediction = newest_prediction(study)
    if prediction is None or prediction.is_finished:
        return False
    return prediction.queued_at > timezone.now() - STOP_ASKING_AFTER
