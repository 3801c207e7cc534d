"""The adjudicator's pages: films to decide, and the form of a decision."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.reauthentication import TooManyPasswords, confirm_password
from accounts.roles import may_review, require
from core.errors import Conflict, Refused
from core.web import signed_in
from diagnosis.models import Study
from diagnosis.views.films import film_or_404, refused
from reading.adjudication import MAX_RATIONALE, adjudicate, films_to_decide
from reading.models import Adjudication, Review, opinions_hidden

FILMS_SHOWN = 50
_FIELD_OF = {"password_wrong": "password", "locked_out": "password", "rationale_invalid": "rationale"}


class AdjudicationForm(forms.Form):
    """The final finding of a film, with reasons."""

    finding = forms.ChoiceField(
        label=gettext_lazy("Final finding"), choices=Review.Finding.choices, widget=forms.RadioSelect
    )
    rationale = forms.CharField(
        label=gettext_lazy("Reasons"),
        max_length=MAX_RATIONALE,
        help_text=gettext_lazy("Never a name or a hospital number."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 4}),
    )
    password = forms.CharField(
        label=gettext_lazy("Your password again"),
        max_length=4096,
        strip=False,
        help_text=gettext_lazy("An adjudication is final. A later one is added beside it."),
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
    )


@login_required
@never_cache
@require_GET
def adjudication_list(request: HttpRequest) -> HttpResponse:
    """Show the oldest films that this person may decide, without their findings."""
    if not may_review(request.user):
        raise PermissionDenied
    waiting = films_to_decide(request.user).filter(Q(decided=False))
    films = list(waiting.select_related("project", "site")[: FILMS_SHOWN + 1])
    context = {"films": films[:FILMS_SHOWN], "more": len(films) > FILMS_SHOWN}
    return render(request, "reading/adjudication_list.html", context)


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def study_adjudication(request: HttpRequest, uid: object) -> HttpResponse:
    """Ask for the final finding of one film, and record it."""
    study = film_or_404(request, uid)
    form = AdjudicationForm(request.POST or None)
    try:
        if not films_to_decide(request.user).filter(pk=study.pk).exists():
            require(
                request.user,
                may_review,
                _("Your account may not adjudicate films. Ask an administrator."),
            )
            raise Conflict("not_to_decide", _("This film does not wait for your adjudication."))
        if request.method == "POST" and form.is_valid():
            return _decide(request, study, form)
    except Refused as refusal:
        field = _FIELD_OF.get(refusal.code)
        if field is None:
            return refused(request, refusal, study=study)
        form.add_error(field, refusal.message)
        status = 429 if isinstance(refusal, TooManyPasswords) else 422
        return _form_page(request, study, form, status=status)
    return _form_page(request, study, form, status=422 if form.errors else 200)


def _decide(request: HttpRequest, study: Study, form: AdjudicationForm) -> HttpResponse:
    actor, fields = signed_in(request), form.cleaned_data
    confirm_password(request, actor, fields["password"])
    adjudicate(actor=actor, study=study, finding=fields["finding"], rationale=fields["rationale"])
    messages.success(request, _("Your adjudication of %(film)s is recorded.") % {"film": study.reference})
    return redirect("adjudications")


def _form_page(request: HttpRequest, study: Study, form: AdjudicationForm, *, status: int) -> HttpResponse:
    context: dict[str, Any] = {"study": study, "form": form, "blind": opinions_hidden(request.user, study)}
    if not context["blind"]:
        context["reads"] = Review.objects.reads().filter(study=study).select_related("reader").order_by("pk")
        decisions = Adjudication.objects.filter(study=study).select_related("adjudicator")
        context["earlier"] = decisions
    return render(request, "reading/adjudication.html", context, status=status)
