"""The auditor's page: the audit trail page by page, filtered, and verified on request."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import require_second_factor
from accounts.roles import may_audit
from audit.models import AuditEvent
from audit.trail import verify_chain
from core.web import View

PAGE = 50
_NEWEST = 2**62
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)


def _text() -> forms.TextInput:
    return forms.TextInput({"class": "form-control"})


def _day() -> forms.DateInput:
    return forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d")


class TrailForm(forms.Form):
    """Filters of the list; every field is optional."""

    actor = forms.CharField(max_length=150, required=False, label=_("User name"), widget=_text())
    verb = forms.CharField(max_length=40, required=False, label=_("What was done"), widget=_text())
    object_id = forms.CharField(max_length=64, required=False, label=_("Id of the object"), widget=_text())
    since = forms.DateField(required=False, label=_("From day"), widget=_day())
    until = forms.DateField(required=False, label=_("To day"), widget=_day())
    before = forms.IntegerField(
        required=False, min_value=1, max_value=_NEWEST, widget=forms.HiddenInput, initial=None
    )


_FILTERS = {
    "actor": "actor_name",
    "verb": "verb",
    "object_id": "object_id",
    "before": "seq__lt",
}


def _for_auditors(view: View) -> View:
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not may_audit(request.user):
            raise PermissionDenied("Only auditors and administrators read the audit trail.")
        return require_second_factor(view)(request, *args, **kwargs)

    return login_required(never_cache(guarded))


@_for_auditors
@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """Show one page of the trail, newest first."""
    return _page(request)


@_for_auditors
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify the whole chain and show the result above the newest events."""
    return _page(request, report=verify_chain())


def _page(request: HttpRequest, *, report: Any = None) -> HttpResponse:
    form = TrailForm(request.GET)
    valid = form.is_valid()
    events = list(_filtered(form.cleaned_data)[: PAGE + 1]) if valid else []
    query = request.GET.copy()
    if len(events) > PAGE:
        query["before"] = str(events[PAGE - 1].seq)
    context = {
        "form": form,
        "events": events[:PAGE],
        "older": query.urlencode() if len(events) > PAGE else "",
        "report": report,
    }
    return render(request, "operations/audit.html", context, status=200 if valid else 422)


def _filtered(chosen: dict[str, Any]) -> QuerySet[AuditEvent]:
    given = {_FILTERS[name]: value for name, value in chosen.items() if value and name in _FILTERS}
    events = AuditEvent.objects.filter(**given)
    if chosen["since"]:
        events = events.filter(seq__gte=_first_from(chosen["since"]))
    if chosen["until"] and chosen["until"] < _LAST_DAY:
        events = events.filter(seq__lt=_first_from(chosen["until"] + timedelta(days=1)))
    return events.order_by("-seq")


def _first_from(day: date) -> int:
    """Return the number of the first event on or after the day: numbers rise with time."""
    midnight = timezone.make_aware(datetime.combine(max(day, _FIRST_DAY), time.min))
    later = AuditEvent.objects.filter(at__gte=midnight).order_by("at", "seq").values_list("seq", flat=True)
    return later.first() or _NEWEST
