"""The worklist: a reader's queue, the way to its next film, and who is reading which film."""

import json

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from diagnosis.errors import NotAllowed, Refused
from diagnosis.models import Project, Study
from diagnosis.roles import may_review
from diagnosis.views.access import film_or_404, refused, signed_in
from reading.claims import claim_film, claim_of_another, keep_claim
from reading.models import Review
from reading.worklist import queue_of

FILMS_SHOWN = 50


@login_required
@never_cache
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the oldest films that wait for this reader; without AI results, which would colour the read."""
    reader = signed_in(request)
    if not may_review(reader):
        return render(request, "reading/worklist.html", {"no_reader": True}, status=403)
    projects = Project.objects.visible_to(reader)
    project = projects.filter(slug=request.GET.get("project", "")).first()
    queue = queue_of(reader)
    if project is not None:
        queue = queue.filter(project=project)
    draft = Review.objects.filter(study=OuterRef("pk"), reader=reader, is_current=True).order_by()
    rows = queue.annotate(drafted=Exists(draft)).select_related("project", "claim__reader")
    first = queue.filter(Q(taken=False)).first()
    context = {
        "films": list(rows[:FILMS_SHOWN]),
        "left": queue.count(),
        "first": first,
        "projects": projects,
        "project": project,
        "reader": reader,
    }
    return render(request, "reading/worklist.html", context)


@login_required
@require_POST
def claim(request: HttpRequest, uid: object) -> HttpResponse:
    """Take a film over knowingly, or with `keep=1` go on holding it and be told who has taken it over."""
    study = film_or_404(request, uid)
    reader = signed_in(request)
    if request.POST.get("keep") != "1":
        return _take_over(request, study)
    response = HttpResponse(status=204)
    if may_review(reader) and not keep_claim(actor=reader, study=study):
        other = claim_of_another(reader, study)
        if other is not None:
            response["HX-Trigger"] = json.dumps({"claim-lost": {"reader": other.reader.get_username()}})
    return response


def _take_over(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        if not may_review(request.user):
            raise NotAllowed("not_a_reader", "Your account may not review films. Ask an administrator.")
        claim_film(actor=signed_in(request), study=study, take_over=True)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return redirect("study-reviews" if getattr(request, "htmx", False) else "study", uid=study.uid)
