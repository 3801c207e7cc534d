"""Notifications: the number in the header, the list, and marking as read."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.web import signed_in
from diagnosis import notifications as service
from diagnosis.models import Notification

SHOWN = 100


@login_required
@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """List the person's notifications, newest first."""
    return render(request, "diagnosis/notifications.html", {"notifications": _rows(request)})


@dataclass(frozen=True)
class NotificationRow:
    """One notification of the list, with its sentence in the reader's language."""

    notification: Notification
    sentence: str


def _rows(request: HttpRequest) -> list[NotificationRow]:
    shown = Notification.objects.visible_to(request.user).select_related("batch", "study")[:SHOWN]
    return [NotificationRow(one, service.sentence(one)) for one in shown]


@login_required
@require_GET
def notification_bell(request: HttpRequest) -> HttpResponse:
    """Return the bell of the header with the number of unread notifications."""
    return render(request, "partials/bell.html")


@login_required
@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark one notification or all as read; answer htmx with the list, a form with a redirect."""
    service.mark_read(actor=signed_in(request), notification=_chosen(request))
    if not getattr(request, "htmx", False):
        return redirect("notifications")
    response = render(request, "diagnosis/notification_list.html", {"notifications": _rows(request)})
    response["HX-Trigger"] = "notifications-changed"
    return response


def _chosen(request: HttpRequest) -> Notification | None:
    """Return the notification that the request names; None for all of them. Raises Http404."""
    text = request.POST.get("notification")
    if not text:
        return None
    try:
        uid = uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(Notification.objects.visible_to(request.user), uid=uid)
