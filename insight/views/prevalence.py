"""Predictive values at a prevalence, as a page and as a partial for htmx."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from insight.forms import PrevalenceForm, active_or_newest
from insight.statistics.prevalence import EXAMPLE_PERCENT, predictive_values_of


@login_required
@require_GET
def prevalence(request: HttpRequest) -> HttpResponse:
    """Show a version's predictive values at the given prevalence; nothing about any film."""
    partial = bool(getattr(request, "htmx", False))
    form = PrevalenceForm(request.GET)
    template = "insight/predictive_values.html" if partial else "insight/prevalence.html"
    if not form.is_valid():
        response = render(request, template, {"prevalence_form": form}, status=422 if partial else 400)
    else:
        version = form.cleaned_data["version"] or active_or_newest()
        percent = form.cleaned_data["prevalence"]
        percent = EXAMPLE_PERCENT if percent is None else percent
        shown = PrevalenceForm(initial={"prevalence": f"{percent:g}", "version": version})
        predictive = predictive_values_of(version, percent) if version else None
        response = render(request, template, {"prevalence_form": shown, "predictive": predictive})
    patch_vary_headers(response, ["HX-Request"])
    return response
