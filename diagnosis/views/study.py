"""The page of one film with its AI result, refreshed during the analysis; analyse again, delete."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.preferences import preferences_of
from accounts.roles import may_administer, may_upload, require
from core.errors import Refused
from core.web import live_partial, signed_in
from diagnosis.inference.health import check_health
from diagnosis.inference.requests import request_prediction
from diagnosis.models import ModelVersion, Prediction, Study, newest_prediction
from diagnosis.results import wording
from diagnosis.studies import trash
from diagnosis.studies.access import record_page_view
from diagnosis.studies.search import films_for
from diagnosis.views.films import film_or_404, refused
from diagnosis.views.status_poll import STOP_ASKING_AFTER
from pneumoml.explain.heatmap import HeatmapOptionInvalid, check_alpha, check_colour_map

Status = Prediction.Status


@login_required
@require_GET
def study_page(request: HttpRequest, uid: object) -> HttpResponse:
    """Show one film, its result or its progress, and what the person can do with it."""
    study = get_object_or_404(_with_neighbours(request), uid=uid)
    record_page_view(actor=signed_in(request), study=study)
    context, legends = _status_context(request, study), wording.legends()
    context["colour_maps"] = list(legends)
    context["legends_json"] = json.dumps(legends)
    return render(request, "diagnosis/study.html", context)


def _with_neighbours(request: HttpRequest) -> QuerySet[Study]:
    """Return the visible films, each with the uids of the next newer and next older one."""
    visible = Study.objects.visible_to(request.user)
    same_moment = Q(created_at=OuterRef("created_at"))
    later, earlier = Q(created_at__gt=OuterRef("created_at")), Q(created_at__lt=OuterRef("created_at"))
    # The first condition is implied by the second; it lets the database start at the film in its index.
    newer = visible.filter(
        Q(created_at__gte=OuterRef("created_at")), later | same_moment & Q(pk__gt=OuterRef("pk"))
    )
    older = visible.filter(
        Q(created_at__lte=OuterRef("created_at")), earlier | same_moment & Q(pk__lt=OuterRef("pk"))
    )
    return films_for(request.user).annotate(
        newer_uid=Subquery(newer.order_by("created_at", "pk").values("uid")[:1]),
        older_uid=Subquery(older.order_by("-created_at", "-pk").values("uid")[:1]),
    )


def _picture_options(request: HttpRequest) -> dict[str, Any]:
    """Return colour map and opacity for a first view; invalid ones give the person's preferences."""
    preferred = preferences_of(request.user)
    try:
        colour_map = check_colour_map(request.GET.get("colour_map", preferred.colour_map))
        alpha = check_alpha(request.GET.get("alpha", preferred.alpha))
    except HeatmapOptionInvalid:
        colour_map, alpha = check_colour_map(preferred.colour_map), preferred.alpha
    return {"colour_map": colour_map, "alpha": alpha, "alpha_percent": round(100 * alpha)}


@login_required
@live_partial
@require_GET
def study_status(request: HttpRequest, uid: object) -> HttpResponse:
    """Return the result panel, or 204 where the page shows the same already."""
    context = {**_status_context(request, film_or_404(request, uid)), "renewed": True}
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    response = render(request, "diagnosis/study_status.html", context)
    if context["finished"]:
        response["HX-Trigger-After-Settle"] = "study-finished"
    return response


def _status_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    prediction = newest_prediction(study)
    context: dict[str, Any] = {
        "study": study,
        "prediction": prediction,
        "finished": prediction is None or prediction.is_finished,
        "earlier": [other for other in study.predictions.all() if other != prediction],
        "withheld": False,
        "may_retry": may_upload(request.user),
        "may_delete": may_administer(request.user),
        **_picture_options(request),
    }
    if prediction is None:
        context["seen"] = "none"
    elif prediction.status == Status.SUCCEEDED and study.ai_hidden:
        context.update(withheld=True, seen=f"withheld-{prediction.uid}")
    elif prediction.status == Status.SUCCEEDED:
        context.update(_result_context(prediction), seen=str(prediction.uid))
        context["legend_colours"] = wording.legends()[context["colour_map"]]
    elif prediction.status == Status.FAILED:
        context.update(failure=wording.failure_sentence(prediction), seen=str(prediction.uid))
    else:
        context.update(_waiting_context(prediction))
    return context


def _waiting_context(prediction: Prediction) -> dict[str, Any]:
    health = check_health()
    unfinished = Prediction.objects.filter(status__in=[Status.QUEUED, Status.RUNNING])
    if not prediction.in_batch:  # films of batches wait in a queue of their own
        unfinished = unfinished.filter(in_batch=False)
    ahead = unfinished.filter(queued_at__lt=prediction.queued_at).count()
    well = health.status == "healthy"
    return {
        "ahead": ahead,
        "health_sentence": "" if well else health.sentence,
        "asking": prediction.queued_at > timezone.now() - STOP_ASKING_AFTER,
        "attempts": wording.attempts_sentence(prediction),
        "seen": f"{prediction.status}-{prediction.attempts}-{ahead}-{health.sentence[:24]}".replace(" ", "_"),
    }


def _result_context(prediction: Prediction) -> dict[str, Any]:
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE)
    return {
        "verdict": wording.verdict(prediction),
        "bar": wording.bar(prediction),
        "timings": wording.timings(prediction),
        "map": wording.describe_map(prediction),
        "scope_caution": wording.scope_caution(prediction),
        "map_caution": wording.map_caution(prediction),
        "newer_model": active.exclude(pk=prediction.model_version_id).first(),
    }


@login_required
@require_POST
def study_retry(request: HttpRequest, uid: object) -> HttpResponse:
    """Request a new analysis after a failure, or with an active model that has not analysed the film."""
    study = film_or_404(request, uid)
    try:
        request_prediction(actor=signed_in(request), study=study)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return redirect(study)


@login_required
@require_http_methods(["GET", "POST"])
def study_delete(request: HttpRequest, uid: object) -> HttpResponse:
    """Ask an administrator to confirm, then move the film to the trash."""
    study = film_or_404(request, uid)
    try:
        require(request.user, may_administer, _("Only an administrator can delete a film."))
        if request.method == "GET":
            return render(request, "diagnosis/study_delete.html", {"study": study})
        trash.move_to_trash(actor=signed_in(request), study=study)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    messages.success(request, _("%(film)s was moved to the trash.") % {"film": study.reference})
    return redirect("studies")
