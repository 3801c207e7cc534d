"""The page of one's own API tokens: list, create (shown once), revoke."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.reauthentication import recently_authenticated
from accounts.tokens import SCOPES, make_token, revoke_all_tokens, revoke_token, tokens_of
from core.web import signed_in

_LIFETIMES = [
    (10, gettext_lazy("10 hours")),
    (24 * 7, gettext_lazy("a week")),
    (24 * 30, gettext_lazy("30 days")),
    (24 * 365, gettext_lazy("a year")),
]


class TokenForm(forms.Form):
    """Name, lifetime and scopes of a new token."""

    name = forms.CharField(max_length=60, label=gettext_lazy("Name, to tell it from others"))
    hours = forms.TypedChoiceField(
        choices=_LIFETIMES,
        coerce=int,
        label=gettext_lazy("Valid for"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponseBase:
    """Show the person's tokens; create one by POST."""
    return _create(request) if request.method == "POST" else _page(request, TokenForm())


@recently_authenticated
def _create(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    made = make_token(actor=signed_in(request), **form.cleaned_data)
    return _page(request, TokenForm(), made=made)


def _page(request: HttpRequest, form: TokenForm, *, made: Any = None, status: int = 200) -> HttpResponse:
    rows = [
        {"row": row, "scopes": [SCOPES.get(scope, scope) for scope in row.scopes]}
        for row in tokens_of(signed_in(request))
    ]
    context = {"form": form, "made": made, "tokens": rows}
    return render(request, "accounts/tokens.html", context, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Revoke one token."""
    if not revoke_token(actor=signed_in(request), prefix=prefix):
        raise Http404
    messages.success(request, _("The token was revoked."))
    return redirect("tokens")


@login_required
@require_POST
def revoke_all(request: HttpRequest) -> HttpResponse:
    """Revoke all tokens of the person."""
    revoke_all_tokens(actor=signed_in(request))
    messages.success(request, _("All your tokens were revoked."))
    return redirect("tokens")
