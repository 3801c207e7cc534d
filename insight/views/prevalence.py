"""The prevalence dial as a page of its own, and as the part of pages that htmx asks for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from insight.forms import PrevalenceForm, active_or_newest
from insight.statistics.prevalence import EXAMPLE_PERCENT, dial_of


@login_required
@require_GET
def prevalence(request: HttpRequest) -> HttpResponse:
    """Show what a version's figures mean at the prevalence asked for; it tells nothing about any film."""
    partial = bool(getattr(request, "htmx", False))
    form = PrevalenceForm(request.GET)
    template = "insight/dial.html" if partial else "insight/prevalence.html"
    if not form.is_valid():
        response = render(request, template, {"dial_form": form}, status=422 if partial else 400)
    else:
        version = form.cleaned_data["version"] or active_or_newest()
        percent = form.cleaned_data["prevalence"]
        percent = EXAMPLE_PERCENT if percent is None else percent
        shown = PrevalenceForm(initial={"prevalence": f"{percent:g}", "version": version})
        dial = dial_of(version, percent) if version else None
        response = render(request, template, {"dial_form": shown, "dial": dial})
    patch_vary_headers(response, ["HX-Request"])
    return response
