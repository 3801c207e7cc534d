"""The worklist page: a reader's queue; claims of films."""

import json
from dataclasses import asdict, replace

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import may_review, require
from core.errors import Refused
from core.web import signed_in
from diagnosis.forms import sites_for
from diagnosis.models import Project, Study
from diagnosis.views.films import film_or_404, refused
from reading.adjudication import films_to_decide
from reading.lists.queries import count_at_most, rows_with_tags, rows_without_tags
from reading.lists.worklist import WorklistQuery, queue_of, rows_of
from reading.models import SavedView, Tag
from reading.reviews.claims import claim_film, claim_of_another, renew_claim
from reading.views.saved_views import views_of

FILMS_SHOWN = 50
_KEPT_AS = "worklist"
STATE_NAMES = [
    ("free", _("Nobody is reading it")),
    ("drafted", _("I have begun")),
    ("second", _("Somebody has signed a read")),
]
ORDER_NAMES = [
    ("oldest", _("Oldest first")),
    ("newest", _("Newest first")),
    ("subject", _("By subject code")),
    ("score", _("Highest AI score first, where it is shown")),
]


@login_required
@never_cache
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the first films of the reader's queue, without AI results, which would bias the read."""
    reader = signed_in(request)
    if not may_review(reader):
        return render(request, "reading/worklist.html", {"no_reader": True}, status=403)
    projects = list(Project.objects.visible_to(reader))
    query = WorklistQuery.parse(request.GET)
    project = next((one for one in projects if one.slug == query.project), None)
    if project is None:
        query = replace(query, project="")
    remember_query(request, query)
    queue = queue_of(reader, query)
    films = list(queue.select_related("project", "site", "claim__reader")[:FILMS_SHOWN])
    tags = list(Tag.objects.filter(project__in=projects).select_related("project"))
    rows = rows_of(rows_with_tags(films, reader) if tags else rows_without_tags(films))
    first = next((row for row in rows if not row.taken), None)
    context = {
        "rows": rows,
        "left": count_at_most(queue),
        "first": first,
        "projects": projects,
        "project": project,
        "query": query,
        "narrowed": query.project or query.state or query.batch or query.tag or query.site,
        "tags": tags,
        "sites": sites_for(reader),
        "states": STATE_NAMES,
        "orders": ORDER_NAMES,
        "to_decide": count_at_most(films_to_decide(reader).filter(Q(decided=False))),
        "reader": reader,
        "view_projects": projects,
        **views_of(request, SavedView.Page.WORKLIST),
    }
    return render(request, "reading/worklist.html", context)


def remember_query(request: HttpRequest, query: WorklistQuery) -> None:
    """Keep the query in the session: next and previous on a film's page follow the list opened last."""
    if request.session.get(_KEPT_AS) != asdict(query):
        request.session[_KEPT_AS] = asdict(query)


def remembered_query(request: HttpRequest) -> WorklistQuery:
    """Return the query of the worklist that was opened last."""
    kept = request.session.get(_KEPT_AS)
    return WorklistQuery.parse(kept) if isinstance(kept, dict) else WorklistQuery()


@login_required
@require_POST
def claim(request: HttpRequest, uid: object) -> HttpResponse:
    """Take over a film, or with `keep=1` renew the claim and answer who has taken it over."""
    study = film_or_404(request, uid)
    reader = signed_in(request)
    if request.POST.get("keep") != "1":
        return _take_over(request, study)
    response = HttpResponse(status=204)
    if may_review(reader) and not renew_claim(actor=reader, study=study):
        other = claim_of_another(reader, study)
        if other is not None:
            response["HX-Trigger"] = json.dumps({"claim-lost": {"reader": other.reader.get_username()}})
    return response


def _take_over(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        require(request.user, may_review, _("Your account may not review films. Ask an administrator."))
        claim_film(actor=signed_in(request), study=study, take_over=True)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return redirect("study-reviews" if getattr(request, "htmx", False) else "study", uid=study.uid)
