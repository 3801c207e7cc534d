"""Pages of batches: begin one with a ZIP or with files, watch it live, resume after an interruption."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import may_upload
from core.errors import FilmRefused, NotAllowed, Refused
from core.http_status import status_of, status_of_code
from core.web import live_partial, signed_in
from diagnosis.batches import service
from diagnosis.batches.progress import progress_of, with_films
from diagnosis.forms import BatchForm
from diagnosis.intake.upload_handlers import archive_too_large, expect_archive, film_too_large
from diagnosis.models import Batch, BatchItem
from diagnosis.views.upload import check_may_upload, sign_in_first, wants_json, was_cut_off

BATCHES_SHOWN = 50
ITEMS_SHOWN = 50
STOP_ASKING_AFTER = timedelta(minutes=15)
Outcome = BatchItem.Outcome


@login_required
@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """List the batches of the person's projects, newest first, with a form for a new one."""
    return _list(request, BatchForm(user=request.user) if may_upload(request.user) else None)


def _list(request: HttpRequest, form: BatchForm | None, *, refusal: Refused | None = None) -> HttpResponse:
    mine = request.GET.get("whose") == "mine"
    shown = Batch.objects.visible_to(request.user).select_related("project", "site", "created_by")
    if mine:
        shown = shown.filter(created_by=signed_in(request))
    refused = Count("items", filter=Q(items__outcome=Outcome.REFUSED))
    context = {
        "form": form,
        "refusal": refusal,
        "mine": mine,
        "batches": shown.annotate(files=Count("items"), refused=refused)[:BATCHES_SHOWN],
        "has_project": form is not None and form.fields["project"].queryset.exists(),  # type: ignore[attr-defined]
        **_limits(),
    }
    invalid = form is not None and form.is_bound and not form.is_valid()
    status = status_of(refusal) if refusal else 400 if invalid else 200
    return render(request, "diagnosis/batches.html", context, status=status)


def _limits() -> dict[str, int]:
    megabyte = 1024 * 1024
    return {
        "max_files": settings.BATCH_MAX_FILES,
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "max_megabytes": settings.MAX_UPLOAD_BYTES // megabyte,
        "max_archive_bytes": settings.MAX_BATCH_BYTES,
        "max_archive_megabytes": settings.MAX_BATCH_BYTES // megabyte,
    }


@csrf_exempt  # _begin checks it, once the request may carry an archive
@require_POST
def batch_begin(request: HttpRequest) -> HttpResponseBase:
    """Begin a batch: with a ZIP, or (as JSON, for the page's script) one whose films follow."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    try:
        check_may_upload(request.user)
    except NotAllowed as refusal:
        return _refused(request, refusal, None)
    expect_archive(request)
    return _begin(request)


@csrf_protect
def _begin(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = BatchForm(request.POST, request.FILES, user=user)
    try:
        if was_cut_off(request):
            raise archive_too_large()
        if not form.is_valid():
            if wants_json(request):
                raise FilmRefused(
                    "form_invalid", " ".join(str(e) for each in form.errors.values() for e in each)
                )
            return _list(request, form)
        batch = _create_batch(form, request)
    except Refused as refusal:
        return _refused(request, refusal, form)
    if not wants_json(request):
        return redirect(batch)
    return _json({"url": batch.get_absolute_url(), **_addresses(batch)}, 201)


def _create_batch(form: BatchForm, request: HttpRequest) -> Batch:
    user, project = signed_in(request), form.cleaned_data["project"]
    archive = form.cleaned_data["archive"]
    about: dict[str, Any] = {
        "site": form.cleaned_data.get("site"),
        "codes_from_names": form.cleaned_data["codes_from_names"],
    }
    if archive is not None:
        return service.begin_zip_batch(actor=user, project=project, archive=archive.file, **about)
    return service.begin_batch(actor=user, project=project, expected=form.cleaned_data["expected"], **about)


def _addresses(batch: Batch) -> dict[str, str]:
    kwargs = {"batch": batch.uid}
    return {name: reverse(f"batch-{name}", kwargs=kwargs) for name in ("films", "close", "status")}


def _refused(request: HttpRequest, refusal: Refused, form: BatchForm | None) -> HttpResponse:
    if wants_json(request):
        return _json({"message": refusal.message, "code": refusal.code}, status_of(refusal))
    return _list(request, form, refusal=refusal)


def _json(body: dict[str, Any], status: int) -> JsonResponse:
    return JsonResponse({**body, "disclaimer": settings.DISCLAIMER}, status=status)


def _batch_or_404(request: HttpRequest, uid: object) -> Batch:
    shown = Batch.objects.visible_to(request.user).select_related("project", "site", "created_by")
    return get_object_or_404(shown, uid=uid)


@login_required
@require_GET
def batch_page(request: HttpRequest, batch: object) -> HttpResponse:
    """Show one batch: its progress, every file's outcome, and the next step."""
    found = _batch_or_404(request, batch)
    context = {**_status(request, found), **_limits(), "addresses": _addresses(found)}
    return render(request, "diagnosis/batch.html", context)


@login_required
@live_partial
@require_GET
def batch_status(request: HttpRequest, batch: object) -> HttpResponse:
    """Return the live part again, or 204 when nothing changed."""
    context = {**_status(request, _batch_or_404(request, batch)), "renewed": True}
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    response = render(request, "diagnosis/batch_status.html", context)
    if context["finished"]:
        response["HX-Trigger-After-Settle"] = "notifications-changed"
    return response


def _status(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    progress = progress_of(batch, request.user)
    finished = batch.state == Batch.State.FINISHED
    page = Paginator(range(progress.came), ITEMS_SHOWN).get_page(request.GET.get("page"))
    items = batch.items.order_by("position")[max(0, page.start_index() - 1) : page.end_index()]
    refused = batch.items.filter(outcome=Outcome.REFUSED)[:ITEMS_SHOWN] if progress.refused else []
    counts = [
        progress.done,
        progress.to_come,
        progress.waiting,
        progress.refused,
        progress.running,
        progress.failed,
    ]
    return {
        "batch": batch,
        "progress": progress,
        "finished": finished,
        "page": page,
        "items": with_films(list(items), request.user),
        "refused": refused,
        "may_change": service.may_change(request.user, batch),
        "asking": not finished and progress.moved_at > timezone.now() - STOP_ASKING_AFTER,
        "seen": "-".join(str(one) for one in [batch.state, *counts, len(batch.trouble)]),
    }


@require_POST
def batch_films(request: HttpRequest, batch: object) -> HttpResponse:
    """Add one film to a batch, for the page's script: JSON with its outcome and position."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    found = _batch_or_404(request, batch)
    file = request.FILES.get("file")
    try:
        if was_cut_off(request):
            raise film_too_large()
        if file is None:
            raise FilmRefused("no_film", _("Send one film as “file”."))
        code = request.POST.get("subject_code", "")[:100] if found.codes_from_names else ""
        item, _is_new = service.add_film(
            actor=signed_in(request), batch=found, data=file.read(), subject_code=code
        )
    except Refused as refusal:
        return _json(
            {"outcome": "lost", "message": refusal.message, "code": refusal.code}, status_of(refusal)
        )
    return _json(_as_json(item), _http_status(item))


def _as_json(item: BatchItem) -> dict[str, Any]:
    return {
        "outcome": item.outcome,
        "position": item.position,
        "code": item.code,
        "message": item.message,
        "url": item.study.get_absolute_url() if item.study else None,
    }


def _http_status(item: BatchItem) -> int:
    if item.outcome == Outcome.REFUSED:
        return status_of_code(item.code)
    return 201 if item.outcome == Outcome.ACCEPTED else 200


@login_required
@require_POST
def batch_close(request: HttpRequest, batch: object) -> HttpResponse:
    """Close a batch that is being sent."""
    found = _batch_or_404(request, batch)
    try:
        service.close_batch(actor=signed_in(request), batch=found)
    except Refused as refusal:
        return _refused(request, refusal, None)
    if wants_json(request):
        return _json({"url": found.get_absolute_url()}, 200)
    return redirect(found)
