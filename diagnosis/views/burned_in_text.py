"""The page on which an administrator checks films that may show burned-in text."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.errors import Conflict, NotAllowed, Refused
from core.web import signed_in
from diagnosis.intake import burned_in_text
from diagnosis.views.films import film_or_404, refused

SHOWN_AT_ONCE = 20


@login_required
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Show the twenty oldest films that wait for a check."""
    try:
        waiting = burned_in_text.films_to_check(signed_in(request))
    except NotAllowed as refusal:
        raise PermissionDenied from refusal
    context = {"films": waiting[:SHOWN_AT_ONCE], "count": waiting.count()}
    return render(request, "diagnosis/burned_in_text.html", context)


@login_required
@require_POST
def answer(request: HttpRequest, uid: object) -> HttpResponse:
    """Store the administrator's answer: `clear` or `remove`."""
    study = film_or_404(request, uid)
    services = {"clear": burned_in_text.clear, "remove": burned_in_text.remove}
    try:
        service = services.get(request.POST.get("answer", ""))
        if service is None:
            raise Conflict("answer_unknown", _("Choose one of the two answers."))
        service(actor=signed_in(request), study=study)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    removed = service is burned_in_text.remove
    done = _("%(film)s was moved to the trash.") if removed else _("%(film)s is marked as checked.")
    messages.success(request, done % {"film": study.reference})
    return redirect("burned-in-text")
