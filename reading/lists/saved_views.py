"""Saved views: named filters of a list, kept, shared and removed."""

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext as _

from core.errors import NotAllowed, Refused
from diagnosis.models import Project
from reading.models import SavedView

MAX_NAME = 60
MOST = 50
_MAX_QUERY = 600
Page = SavedView.Page
KEPT = {
    Page.FILMS: (
        "q",
        "status",
        "result",
        "review",
        "project",
        "uploader",
        "since",
        "until",
        "site",
        "tag",
        "batch",
        "sort",
    ),
    Page.WORKLIST: ("project", "state", "site", "tag", "batch", "order"),
}


class ViewRefused(Refused):
    """A field of the view is invalid."""


def filters_of(page: str, query: str) -> str:
    """Return the query reduced to this page's filters that have a value."""
    given, kept = QueryDict(query[:4000]), QueryDict(mutable=True)
    for name in KEPT[Page(page)]:
        if value := given.get(name, ""):
            kept[name] = value
    return kept.urlencode()


def save_view(
    *, actor: User, page: str, name: str, query: str, shared_with: Project | None = None
) -> SavedView:
    """Keep the filters under a name; the actor's view of the same name is replaced.

    Raises ViewRefused for an unknown page, a missing or too long name, too many views or too long filters;
    NotAllowed for a project in which the actor does not work.
    """
    name = " ".join(name.split())
    if page not in Page.values:
        raise ViewRefused("page_invalid", _("Views are kept of the films and of the worklist."))
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        message = _("A view has a name of at most %(most)d characters.") % {"most": MAX_NAME}
        raise ViewRefused("name_invalid", message)
    filters = filters_of(page, query)
    own = SavedView.objects.filter(owner=actor, page=page)
    if len(filters) > _MAX_QUERY or own.exclude(name=name).count() >= MOST:
        raise ViewRefused("too_much", _("These are too many filters or views. Drop one first."))
    if shared_with is not None and not Project.objects.visible_to(actor).filter(pk=shared_with.pk).exists():
        raise NotAllowed("not_a_member", _("You do not work in this project."))
    values = {"query": filters, "shared_with": shared_with}
    view, _made = SavedView.objects.update_or_create(owner=actor, page=page, name=name, defaults=values)
    return view


def remove_view(*, actor: User, view: SavedView) -> None:
    """Remove one's own view. Raises NotAllowed for anybody else's."""
    if view.owner_id != actor.pk:
        raise NotAllowed("not_your_view", _("Only its owner drops a view."))
    view.delete()
