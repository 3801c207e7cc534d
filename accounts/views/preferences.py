"""Preferences: their page, the theme switch and the choice of language."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from accounts.forms import PreferencesForm
from accounts.preferences import save_preferences
from core.errors import Refused
from core.http_status import status_of
from core.web import signed_in


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show the person's choices; on POST store them and return in the chosen language."""
    actor = signed_in(request)
    form = PreferencesForm(request.POST or None, user=actor)
    if request.method == "POST" and form.is_valid():
        chosen = save_preferences(actor=actor, **form.choices())
        with translation.override(chosen.language or translation.get_language()):
            messages.success(request, _("Your preferences were saved."))
        return redirect("preferences")
    status = 400 if form.errors else 200
    return render(request, "accounts/preferences.html", {"form": form}, status=status)


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Store the theme set by the switch in the header."""
    try:
        save_preferences(actor=signed_in(request), theme=request.POST.get("theme", ""))
    except Refused as refusal:
        return HttpResponse(refusal.message, status=status_of(refusal), content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Store the language in a cookie, and in the preferences of a signed-in person."""
    if isinstance(request.user, User):
        try:
            save_preferences(actor=request.user, language=request.POST.get("language", ""))
        except Refused as refusal:
            return HttpResponse(refusal.message, status=status_of(refusal), content_type="text/plain")
    return set_language(request)
