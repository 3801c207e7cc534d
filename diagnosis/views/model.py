"""The model page: one version's card laid out for people, and the list of versions."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from diagnosis.models import ModelVersion
from diagnosis.results.model_card import sections_of


@login_required
@require_GET
def active_model_page(request: HttpRequest) -> HttpResponse:
    """Show the card of the active version, or what to do where none is active."""
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    return _page(request, active)


@login_required
@require_GET
def model_version_page(request: HttpRequest, version: str) -> HttpResponse:
    """Show the card of one version, active or not: old results link to the version that made them."""
    return _page(request, get_object_or_404(ModelVersion, version=version))


def _page(request: HttpRequest, model: ModelVersion | None) -> HttpResponse:
    context: dict[str, Any] = {"model": model, "versions": ModelVersion.objects.defer("card")}
    if model is not None:
        context.update(_card_context(model))
    return render(request, "diagnosis/model.html", context)


def _card_context(model: ModelVersion) -> dict[str, Any]:
    card = model.typed_card
    return {
        "card": card,
        "sections": sections_of(card.raw) if card else [],
        "threshold_percent": round(100 * model.threshold, 1),
        "low_percent": round(100 * model.borderline_low, 1),
        "high_percent": round(100 * model.borderline_high, 1),
    }
