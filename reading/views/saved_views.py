"""Saving and removing saved views; the lists show them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Refused
from core.web import signed_in
from diagnosis.models import Project
from reading.lists.saved_views import filters_of, remove_view, save_view
from reading.models import SavedView

_ADDRESSES = {SavedView.Page.FILMS: "studies", SavedView.Page.WORKLIST: "worklist"}


def views_of(request: HttpRequest, page: str) -> dict[str, Any]:
    """Return the context of saved views for a list's page."""
    user = signed_in(request)
    views = SavedView.objects.visible_to(user).filter(page=page).select_related("owner", "shared_with")
    query = filters_of(page, request.GET.urlencode())
    return {
        "saved_views": [
            {
                "view": view,
                "address": _address(view),
                "own": view.owner_id == user.pk,
                "now": view.query == query,
            }
            for view in views
        ],
        "view_page": page,
        "view_query": query,
    }


def _address(view: SavedView) -> str:
    return reverse(_ADDRESSES[SavedView.Page(view.page)]) + (f"?{view.query}" if view.query else "")


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filters of a list under a name, and show the list through them."""
    user, given = signed_in(request), request.POST
    project = Project.objects.visible_to(user).filter(slug=given.get("shared_with", "").replace("\x00", ""))
    page = given.get("page", "")
    try:
        view = save_view(
            actor=user,
            page=page,
            name=given.get("name", ""),
            query=given.get("query", ""),
            shared_with=project.first(),
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("worklist" if page == SavedView.Page.WORKLIST else "studies")
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": view.name})
    return redirect(_address(view))


@login_required
@require_POST
def remove(request: HttpRequest, uid: object) -> HttpResponse:
    """Remove one of one's own views."""
    user = signed_in(request)
    view = get_object_or_404(SavedView, uid=uid, owner=user)
    address = reverse(_ADDRESSES[SavedView.Page(view.page)])
    remove_view(actor=user, view=view)
    return redirect(address)
