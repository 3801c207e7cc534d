"""The list of a person's projects, and one project in detail."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.web import signed_in
from diagnosis.models import Project
from insight.statistics.by_site import sites_of
from insight.statistics.progress import RECENT_WEEKS, detail_of, progress_of


@login_required
@never_cache
@require_GET
def project_list(request: HttpRequest) -> HttpResponse:
    """Show the progress of each visible project."""
    person = signed_in(request)
    found = progress_of(person, list(Project.objects.visible_to(person)))
    return render(request, "insight/projects.html", {"projects": found, "recent_weeks": RECENT_WEEKS})


@login_required
@never_cache
@require_GET
def project_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one project; 404 alike for one that is not there and one that is not theirs."""
    person = signed_in(request)
    project = get_object_or_404(Project.objects.visible_to(person), slug=slug)
    progress, readers = detail_of(project)
    context = {
        "progress": progress,
        "readers": readers,
        "sites": sites_of(person, project),
        "recent_weeks": RECENT_WEEKS,
    }
    return render(request, "insight/project.html", context)
