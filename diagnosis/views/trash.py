"""The administrators' page of the trash: its films, how long each is kept, and how to restore one."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.errors import NotAllowed, Refused
from core.web import signed_in
from diagnosis.models import Study
from diagnosis.studies.trash import films_in_trash, list_trash, restore
from diagnosis.views.films import refused

FILMS_SHOWN = 100


@login_required
@never_cache
@require_GET
def trash(request: HttpRequest) -> HttpResponse:
    """Show the films that were deleted last."""
    try:
        films = list_trash(signed_in(request), limit=FILMS_SHOWN + 1)
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    context = {"films": films[:FILMS_SHOWN], "more": len(films) > FILMS_SHOWN, "days": settings.TRASH_DAYS}
    return render(request, "diagnosis/trash.html", context)


@login_required
@require_POST
def trash_restore(request: HttpRequest, uid: object) -> HttpResponse:
    """Take one film out of the trash."""
    actor = signed_in(request)
    try:
        films = films_in_trash(actor)
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    study: Study = get_object_or_404(films, uid=uid)
    try:
        restore(actor=actor, study=study)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    messages.success(request, _("%(film)s is back.") % {"film": study.reference})
    return redirect(study)
