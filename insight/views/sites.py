"""The administrator's page of a project's sites."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.roles import may_administer
from core.errors import Refused
from core.http_status import status_of
from core.web import signed_in
from diagnosis.models import Project, Site
from diagnosis.studies.sites import add_site, remove_site
from insight.forms import SiteForm


@login_required
@require_http_methods(["GET", "POST"])
def project_sites(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a project's sites to an administrator, and add another."""
    project = _project_or_404(request, slug)
    form = SiteForm(request.POST or None)
    if request.method != "POST":
        return _page(request, project, form)
    if not form.is_valid():
        return _page(request, project, form, status=400)
    try:
        add_site(actor=signed_in(request), project=project, **form.cleaned_data)
    except Refused as refusal:
        return _page(request, project, form, refusal=refusal, status=status_of(refusal))
    return redirect("project-sites", slug=project.slug)


@login_required
@require_POST
def site_remove(request: HttpRequest, slug: str, site: int) -> HttpResponse:
    """Remove a site without films."""
    project = _project_or_404(request, slug)
    try:
        remove_site(actor=signed_in(request), site=get_object_or_404(Site, project=project, pk=site))
    except Refused as refusal:
        return _page(request, project, SiteForm(), refusal=refusal, status=status_of(refusal))
    return redirect("project-sites", slug=project.slug)


def _page(
    request: HttpRequest,
    project: Project,
    form: SiteForm,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"project": project, "sites": project.sites.all(), "form": form, "refusal": refusal}
    return render(request, "insight/sites.html", context, status=status)


def _project_or_404(request: HttpRequest, slug: str) -> Project:
    if not may_administer(request.user):
        raise PermissionDenied
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
