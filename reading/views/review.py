"""The reviews of one film as a panel or a page: the reader's form and history, and others' opinions."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.reauthentication import TooManyPasswords, confirm_password
from accounts.roles import may_review, require
from core.errors import Refused
from core.web import live_partial, signed_in
from diagnosis.models import Study
from diagnosis.studies.blinding import shown_result
from diagnosis.studies.search import films_for
from diagnosis.views.films import refused
from reading.panel import ReviewPanel, for_panel
from reading.reviews.forms import SIGN, ReviewForm
from reading.reviews.service import ReadingTime, review_study
from reading.reviews.timing import seconds_since
from reading.views.worklist import remembered_query

_FIELD_OF = {
    "agreement_invalid": "agrees_with_ai",
    "finding_invalid": "finding",
    "confidence_invalid": "confidence",
    "comment_too_long": "comment",
    "region_invalid": "region_left",
    "password_wrong": "password",
    "locked_out": "password",
}
_SAVED = gettext_lazy("Your draft is saved. It is not signed yet.")
_SIGNED = gettext_lazy("Your read is signed and final.")


@sensitive_post_parameters("password")
@login_required
@live_partial
@never_cache
@require_http_methods(["GET", "POST"])
def study_reviews(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Show the film's reviews; save or sign one by POST. To htmx the panel, to others a page of its own."""
    study = _film_or_404(request, uid)
    if request.method == "POST":
        return _save(request, study)
    return _panel(request, study)


def _film_or_404(request: HttpRequest, uid: object) -> Study:
    return get_object_or_404(for_panel(films_for(request.user), signed_in(request)), uid=uid)


def _save(request: HttpRequest, study: Study) -> HttpResponse:
    form = ReviewForm(request.POST, study=study, asks_agreement=shown_result(study) is not None)
    wants_to_sign = request.POST.get("action") == SIGN
    try:
        require(request.user, may_review, _("Your account may not review films. Ask an administrator."))
        if not form.is_valid():
            return _panel(request, study, form, status=422)
        if wants_to_sign:
            confirm_password(request, signed_in(request), form.cleaned_data["password"])
        _store(request, study, form.cleaned_data, sign=wants_to_sign)
    except Refused as refusal:
        field = _FIELD_OF.get(refusal.code)
        if field is None:
            return refused(request, refusal, study=study)
        form.add_error(field if field in form.fields else None, refusal.message)
        return _panel(request, study, form, status=429 if isinstance(refusal, TooManyPasswords) else 422)
    return _saved(request, study, signed=wants_to_sign)


def _store(request: HttpRequest, study: Study, fields: dict[str, Any], *, sign: bool) -> None:
    reader = signed_in(request)
    opened = seconds_since(fields.pop("opened"), study=study.uid, reader=reader.pk)
    time = ReadingTime(open_seconds=opened, active_seconds=fields.pop("active_seconds"))
    del fields["password"]
    review_study(actor=reader, study=study, time=time, sign=sign, **fields)


def _saved(request: HttpRequest, study: Study, *, signed: bool) -> HttpResponse:
    sentence = _SIGNED if signed else _SAVED
    if not _is_htmx(request):
        messages.success(request, sentence)
        return redirect("study-reviews", uid=study.uid)
    study = _film_or_404(request, study.uid)  # again: a signature may have disclosed the AI result
    response = _panel(request, study, saved=str(sentence))
    response["HX-Trigger-After-Settle"] = "review-signed" if signed else "review-saved"
    return response


def _panel(
    request: HttpRequest,
    study: Study,
    form: ReviewForm | None = None,
    *,
    saved: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the panel; a mistake or a new result keeps the time of opening, saving resets it."""
    sent = request.POST if request.method == "POST" else request.GET
    panel = ReviewPanel.for_(
        signed_in(request),
        study,
        worklist=remembered_query(request),
        opened="" if saved else sent.get("opened", ""),
    )
    context = {**vars(panel), "form": form or _form_of(panel), "saved": saved}
    template = "reading/review_panel.html" if _is_htmx(request) else "reading/review_page.html"
    return render(request, template, context, status=status)


def _form_of(panel: ReviewPanel) -> ReviewForm:
    study = panel.study
    initial = ReviewForm.initial_of(panel.own, film=(study.width, study.height))
    return ReviewForm(initial=initial, study=study, asks_agreement=panel.asks_agreement)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
