"""Notifications of finished batches and failed films."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models.batches import Batch
from diagnosis.models.studies import Study


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "NotificationQuerySet":
        """Return the user's own, without those on films or batches that they may no longer see."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        batches = Q(batch__isnull=True) | Q(batch__in=Batch.objects.visible_to(user))
        films = Q(study__isnull=True) | Q(study__in=Study.objects.visible_to(user).values("pk"))
        return self.filter(batches, films, user=user)

    def unread(self) -> "NotificationQuerySet":
        """Return those not marked as read."""
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One message to one person about a batch or a film; never holds an AI result.

    `facts` holds numbers only; the sentence is built when it is shown, in the reader's language.
    """

    class Kind(models.TextChoices):
        BATCH_FINISHED = "batch_finished", _("A batch is finished")
        FILM_FAILED = "film_failed", _("A film could not be read")

    class Mail(models.TextChoices):
        NONE = "none", "No e-mail"
        DUE = "due", "To be sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, related_name="notifications")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, related_name="notifications")
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    mail = models.CharField(max_length=6, choices=Mail.choices, default=Mail.NONE, editable=False)
    mail_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    mail_after = models.DateTimeField(default=timezone.now, editable=False)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_user"),
            models.Index(fields=["mail_after"], condition=Q(mail="due"), name="notification_mail_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user}"
