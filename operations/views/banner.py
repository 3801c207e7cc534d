"""The banner above every page that says when films are stored but not analysed."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from diagnosis.inference.health import check_health


@login_required
@require_GET
def system_banner(request: HttpRequest) -> HttpResponse:
    """Return the banner, or nothing when all is well. Loaded after the page, so that no page waits for it."""
    health = check_health()
    if health.status == "healthy":
        return HttpResponse()
    return render(request, "operations/banner.html", {"health": health})
