"""The list of discordant films, and the form of a reason."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.errors import Refused
from core.web import signed_in
from diagnosis.views.films import film_or_404, refused
from reading import discordance
from reading.adjudication import films_to_decide
from reading.models import DiscordanceReason

FILMS_SHOWN = 40  # each with a form of its own: the page stays under 100 kB
Kind, Reason = DiscordanceReason.Kind, DiscordanceReason.Reason


class ReasonForm(forms.Form):
    """Why a film is on the list."""

    kind = forms.ChoiceField(choices=Kind.choices)
    reason = forms.ChoiceField(choices=Reason.choices)
    note = forms.CharField(required=False, max_length=discordance.MAX_NOTE)


@login_required
@never_cache
@require_GET
def discordance_list(request: HttpRequest) -> HttpResponse:
    """Show the newest discordant films whose AI result the person may see, of one kind or of all."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in Kind.values else ""
    films = discordance.discordant(request.user, kind)
    shown = discordance.listed(films[: FILMS_SHOWN + 1])
    to_decide = films_to_decide(request.user).filter(pk__in=[film.study.pk for film in shown])
    context: dict[str, Any] = {
        "films": shown[:FILMS_SHOWN],
        "more": len(shown) > FILMS_SHOWN,
        "to_decide": set(to_decide.values_list("pk", flat=True)),
        "kind": kind,
        "kinds": Kind.choices,
        "reasons": Reason.choices,
        "may_give_reasons": discordance.may_give_reasons(request.user),
        "confident_from": round(100 * discordance.CONFIDENT_FROM),
        "confident_to": round(100 * discordance.CONFIDENT_TO),
        "sure_from": discordance.SURE_FROM,
    }
    return render(request, "reading/discordance.html", context)


@login_required
@require_POST
def give_reason(request: HttpRequest, uid: object) -> HttpResponse:
    """Record one reason and go back to the list."""
    study = film_or_404(request, uid)
    form = ReasonForm(request.POST)
    try:
        if not form.is_valid():
            raise discordance.ReasonRefused("reason_invalid", _("Choose a kind and a reason from the lists."))
        discordance.give_reason(actor=signed_in(request), study=study, **form.cleaned_data)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    messages.success(request, _("The reason for %(film)s is recorded.") % {"film": study.reference})
    return redirect(reverse("discordance") + f"#film-{study.uid}")
