"""The reviews of one film: a reader's form and history, and what others say; a panel or a page of its own."""

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
from diagnosis.models import Prediction, Study, newest_prediction
from diagnosis.studies.blinding import shown_result
from diagnosis.studies.search import films_for
from diagnosis.views.films import refused
from reading.lists.worklist import place_of
from reading.models import Review, with_opinions
from reading.reviews.claims import claim_film, claim_of_another, held_by, keep_claim
from reading.reviews.forms import SIGN, ReviewForm
from reading.reviews.service import Time, review_study
from reading.reviews.timing import opening_of, seconds_since
from reading.views.worklist import remembered_wishes

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
    """Return the film with `others_hidden` and `held`, or raise Http404."""
    films = with_opinions(films_for(request.user), request.user)
    return get_object_or_404(films.annotate(held=held_by(request.user)), uid=uid)


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
    time = Time(open_seconds=opened, active_seconds=fields.pop("active_seconds"))
    del fields["password"]
    review_study(actor=reader, study=study, time=time, sign=sign, **fields)


def _saved(request: HttpRequest, study: Study, *, signed: bool) -> HttpResponse:
    sentence = _SIGNED if signed else _SAVED
    if not _is_htmx(request):
        messages.success(request, sentence)
        return redirect("study-reviews", uid=study.uid)
    study = _film_or_404(request, study.uid)  # anew: a signature may have opened the AI result
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
    reviews = list(
        Review.objects.visible_to(request.user)
        .filter(study=study)
        .select_related("reader", "study", "addendum_to")
    )
    own = [review for review in reviews if review.reader == request.user]
    current = next((review for review in own if review.is_current), None)
    film = (study.width, study.height)
    context: dict[str, Any] = {
        "study": study,
        "form": form
        or ReviewForm(
            initial=ReviewForm.initial_of(current, film=film),
            study=study,
            asks_agreement=shown_result(study) is not None,
        ),
        "own": current,
        "read": next((review for review in own if review.is_signed and not review.addendum_to_id), None),
        "earlier": [review for review in own if not review.is_current],
        "others": [review for review in reviews if review.is_current and review.reader != request.user],
        "has_result": _has_result(study),
        "others_hidden": getattr(study, "others_hidden", True),
        "opening": _opening(request, study, anew=bool(saved)),
        "saved": saved,
    }
    if may_review(request.user):
        context |= _place_in_worklist(request, study, is_read=context["read"] is not None)
    template = "reading/review_panel.html" if _is_htmx(request) else "reading/review_page.html"
    return render(request, template, context, status=status)


def _place_in_worklist(request: HttpRequest, study: Study, *, is_read: bool) -> dict[str, Any]:
    """Take the film for this reader unless it is read already or somebody else is reading it."""
    reader = signed_in(request)
    goes_on = getattr(study, "held", False) and keep_claim(actor=reader, study=study)
    is_free = is_read or goes_on or claim_film(actor=reader, study=study)
    return {
        "place": place_of(reader, study, remembered_wishes(request)),
        "taken": None if is_free else claim_of_another(reader, study),
        "holds": is_free and not is_read,
    }


def _opening(request: HttpRequest, study: Study, *, anew: bool) -> str:
    """Keep the opening that the page has, after a mistake or when a result came; after saving, begin anew."""
    reader = signed_in(request).pk
    given = (request.POST if request.method == "POST" else request.GET).get("opened", "")
    if given and not anew and seconds_since(given, study=study.uid, reader=reader) is not None:
        return given
    return opening_of(study=study.uid, reader=reader)


def _has_result(study: Study) -> bool:
    prediction = newest_prediction(study)
    return prediction is not None and prediction.status == Prediction.Status.SUCCEEDED


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
