"""The reviews of one film: a reader's form and history, and what others say; a panel or a page of its own."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from diagnosis.errors import NotAllowed, Refused
from diagnosis.models import Prediction, Study
from diagnosis.roles import may_review
from diagnosis.views.access import film_or_404, live_partial, refused, signed_in
from reading.forms import ReviewForm
from reading.models import Review
from reading.review import review_study

_FIELD_OF = {
    "agreement_invalid": "agrees_with_ai",
    "finding_invalid": "finding",
    "confidence_invalid": "confidence",
    "comment_too_long": "comment",
}


@login_required
@live_partial
@never_cache
@require_http_methods(["GET", "POST"])
def study_reviews(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Show the film's reviews; save one by POST. To htmx the panel, to others a page of its own."""
    study = film_or_404(request, uid)
    reviews = list(study.reviews.select_related("reader"))
    if request.method == "POST":
        return _save(request, study, reviews)
    own = _current(reviews, request.user)
    form = ReviewForm(initial=ReviewForm.initial_of(own), asks_agreement=_has_result(study))
    return _panel(request, study, reviews, form)


def _save(request: HttpRequest, study: Study, reviews: list[Review]) -> HttpResponse:
    form = ReviewForm(request.POST, asks_agreement=_has_result(study))
    try:
        if not may_review(request.user):
            raise NotAllowed("not_a_reader", "Your account may not review films. Ask an administrator.")
        if not form.is_valid():
            return _panel(request, study, reviews, form, status=422)
        review_study(actor=signed_in(request), study=study, **form.cleaned_data)
    except Refused as refusal:
        field = _FIELD_OF.get(refusal.code)
        if field is None:
            return refused(request, refusal, study=study)
        form.add_error(field if field in form.fields else None, refusal.message)
        return _panel(request, study, reviews, form, status=422)
    return _saved(request, study)


def _saved(request: HttpRequest, study: Study) -> HttpResponse:
    if not _is_htmx(request):
        messages.success(request, "Your review is saved.")
        return redirect("study-reviews", uid=study.uid)
    reviews = list(study.reviews.select_related("reader"))
    own = _current(reviews, request.user)
    form = ReviewForm(initial=ReviewForm.initial_of(own), asks_agreement=_has_result(study))
    return _panel(request, study, reviews, form, saved=True)


def _panel(
    request: HttpRequest,
    study: Study,
    reviews: list[Review],
    form: ReviewForm,
    *,
    saved: bool = False,
    status: int = 200,
) -> HttpResponse:
    own = [review for review in reviews if review.reader == request.user]
    context: dict[str, Any] = {
        "study": study,
        "form": form,
        "own": next((review for review in own if review.is_current), None),
        "earlier": [review for review in own if not review.is_current],
        "others": [review for review in reviews if review.is_current and review.reader != request.user],
        "has_result": _has_result(study),
        "saved": saved,
    }
    template = "reading/review_panel.html" if _is_htmx(request) else "reading/review_page.html"
    return render(request, template, context, status=status)


def _current(reviews: list[Review], reader: object) -> Review | None:
    mine = (review for review in reviews if isinstance(reader, User) and review.reader_id == reader.pk)
    return next((review for review in mine if review.is_current), None)


def _has_result(study: Study) -> bool:
    prediction = study.newest_prediction
    return prediction is not None and prediction.status == Prediction.Status.SUCCEEDED


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
