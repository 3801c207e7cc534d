"""Notifications of finished batches and failed films, on the page and by e-mail where that is set up.

They hold no AI result, since it may be hidden from their reader.
"""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.models import Batch, Notification, Prediction

logger = logging.getLogger(__name__)
Kind, Mail = Notification.Kind, Notification.Mail

MAIL_ATTEMPTS = 3
_MAILS_PER_PASS = 10


def batch_finished(*, batch: Batch, facts: dict[str, int]) -> Notification:
    """Notify the person who began the batch of its numbers of stored, refused and failed files."""
    return _notify(Notification(user=batch.created_by, kind=Kind.BATCH_FINISHED, batch=batch, facts=facts))


def film_failed(*, prediction: Prediction) -> Notification | None:
    """Notify the person who asked that a film failed; a batch's films are in the batch's notification."""
    if prediction.in_batch:
        return None
    return _notify(Notification(user=prediction.requested_by, kind=Kind.FILM_FAILED, study=prediction.study))


def _notify(notification: Notification) -> Notification:
    """Write the row in the caller's transaction, and delete the person's old notifications."""
    user = notification.user
    if settings.EMAIL_URL and user.email and user.is_active:
        notification.mail = Mail.DUE
    notification.save(force_insert=True)
    too_old = timezone.now() - timedelta(days=settings.NOTIFICATION_DAYS)
    Notification.objects.filter(user=user, created_at__lt=too_old).delete()
    return notification


def mark_read(*, actor: User, notification: Notification | None = None) -> int:
    """Mark one of the actor's notifications as read, or all of them; return how many were unread."""
    mine = Notification.objects.filter(user=actor).unread()
    if notification is not None:
        mine = mine.filter(pk=notification.pk)
    return mine.update(read_at=timezone.now())


def sentence(notification: Notification) -> str:
    """Return the notification's sentence in the active language."""
    if notification.kind == Kind.FILM_FAILED:
        name = notification.study.reference if notification.study else _("A film")
        return _("%(film)s could not be read in any of its attempts.") % {"film": name}
    facts = notification.facts
    name = notification.batch.reference if notification.batch else _("A batch")
    parts = [
        ngettext("%d film taken in", "%d films taken in", facts.get("accepted", 0)) % facts.get("accepted", 0)
    ]
    for key, words in _more_words().items():
        if facts.get(key):
            parts.append(words % facts[key])
    return _("Batch %(batch)s is finished: %(parts)s.") % {"batch": name, "parts": ", ".join(parts)}


def address(notification: Notification) -> str:
    """Return the full address of the film's or batch's page; "" without SITE_URL."""
    about = notification.batch or notification.study
    return f"{settings.SITE_URL}{about.get_absolute_url()}" if settings.SITE_URL and about else ""


def _more_words() -> dict[str, str]:
    return {
        "duplicate": _("%d already here"),
        "refused": _("%d refused"),
        "missing": _("%d never sent"),
        "failed": _("%d could not be read"),
    }


# --- E-mail: the rows are the queue -------------------------------------------------------------------


def send_mail_due() -> int:
    """Send the e-mails that are due and return their number; failures are logged, not raised.

    A message identifies a film or batch by its reference only. The pass ends at the first failure, so that a
    hanging mail server costs a worker one EMAIL_TIMEOUT and not one for each message.
    """
    sent = 0
    while sent < _MAILS_PER_PASS:
        notification = _claim_mail()
        if notification is None or not _send(notification):
            break
        sent += 1
    return sent


def _claim_mail() -> Notification | None:
    """Return the next message after postponing its next attempt, so that no other worker sends it too."""
    now = timezone.now()
    due = Notification.objects.filter(mail=Mail.DUE, mail_after__lte=now)
    for notification in due.select_related("user", "batch", "study").order_by("mail_after", "pk")[:1]:
        pause = timedelta(minutes=5 * (notification.mail_attempts + 1))
        taken = due.filter(pk=notification.pk, mail_attempts=notification.mail_attempts).update(
            mail_attempts=F("mail_attempts") + 1, mail_after=now + pause
        )
        return notification if taken else None
    return None


def _send(notification: Notification) -> bool:
    parts = [
        sentence(notification),
        address(notification),
        _("Sign in to pneumoweb to see it. No results are sent by e-mail."),
        settings.DISCLAIMER,
    ]
    body = "\n\n".join(filter(None, parts))
    message = EmailMessage(
        subject=f"pneumoweb: {notification.get_kind_display()}", body=body, to=[notification.user.email]
    )
    try:
        message.send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logger.warning("An e-mail could not be sent (%s).", type(error).__name__)
        if notification.mail_attempts + 1 >= MAIL_ATTEMPTS:
            Notification.objects.filter(pk=notification.pk).update(mail=Mail.FAILED)
        return False
    Notification.objects.filter(pk=notification.pk).update(mail=Mail.SENT)
    return True
