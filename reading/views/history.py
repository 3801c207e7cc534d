"""The film list with results and reviews: searched, filtered, sorted, paged."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.roles import roles_of
from diagnosis.models import Project, Study
from reading.lists.cursors import Cursor
from reading.lists.film_query import FilmOrder, FilmQuery
from reading.lists.forms import FilmFilterForm
from reading.lists.queries import rows_with_tags, rows_without_tags
from reading.models import SavedView
from reading.views.saved_views import views_of

FILMS_PER_PAGE = 25
COLUMNS = [
    ("film", _("Film")),
    ("subject", _("Subject")),
    ("uploaded", _("Uploaded")),
    ("probability", _("AI result")),
]


@dataclass(frozen=True)
class Page:
    """One page of films, and the cursors of its neighbours (empty where there is none)."""

    studies: list[Study]
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Column:
    """A sortable column: what its link asks for next, and how it is sorted now (for aria-sort)."""

    label: str
    next_sort: str
    sorted: str


@login_required
@never_cache
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """Show the films that fit the filters; to htmx only the list, under the address that leads back to it."""
    form = FilmFilterForm(request.GET, user=request.user)
    valid = form.is_valid()
    context: dict[str, Any] = {"form": form, "valid": valid, **views_of(request, SavedView.Page.FILMS)}
    if valid:
        query = form.query
        page = _page(query, form.position)
        films = page.studies
        rows = rows_with_tags(films, request.user) if form.tags else rows_without_tags(films)
        context |= {
            "page": page,
            "rows": rows,
            "columns": _columns(query.order),
            "narrowed": query.is_narrowed,
        }
        if not page.studies:
            context["empty"] = _why_empty(request, form)
    partial = bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "reading/history_list.html" if partial else "reading/history.html"
    response = render(request, template, context, status=200 if valid else 422 if partial else 400)
    patch_vary_headers(response, ["HX-Request"])
    if partial:
        response["HX-Push-Url"] = _address(request)
    return response


def _page(query: FilmQuery, cursor: Cursor | None) -> Page:
    """Read one film more than a page shows: whether there is a next page needs no count of all films."""
    found = query.page(cursor, FILMS_PER_PAGE + 1)
    shown, more = found[:FILMS_PER_PAGE], len(found) > FILMS_PER_PAGE
    goes_back = cursor is not None and cursor.backwards
    if goes_back:
        shown.reverse()
    has_before, has_after = (more, True) if goes_back else (cursor is not None, more)
    at = query.order.cursor_at
    return Page(
        shown,
        before=at(shown[0], backwards=True) if shown and has_before else "",
        after=at(shown[-1], backwards=False) if shown and has_after else "",
    )


def _columns(order: FilmOrder) -> list[Column]:
    name, descending = order.name, order.is_descending
    columns = []
    for key, label in COLUMNS:
        if key == name:
            state = "descending" if descending else "ascending"
            columns.append(Column(str(label), key if descending else f"-{key}", state))
        else:
            columns.append(Column(str(label), key if key == "subject" else f"-{key}", "none"))
    return columns


def _why_empty(request: HttpRequest, form: FilmFilterForm) -> str:
    if form.query.is_narrowed or form.position:
        return "no_match"
    if not roles_of(request.user):
        return "no_role"
    if not Project.objects.visible_to(request.user).exists():
        return "no_project"
    return "no_films"


def _address(request: HttpRequest) -> str:
    """Return the page's address without empty parameters."""
    wanted = request.GET.copy()
    for name in [name for name, value in wanted.items() if not value]:
        del wanted[name]
    query = wanted.urlencode()
    return reverse("studies") + (f"?{query}" if query else "")
