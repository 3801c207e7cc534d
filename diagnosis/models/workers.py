"""What keeps the machinery honest: signs of life of workers, keys of repeated requests."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class WorkerStatus(models.Model):
    """A worker's last sign of life, written by work it really did."""

    name = models.CharField(max_length=120, unique=True)
    last_seen_at = models.DateTimeField()
    loaded_version = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "worker status"

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """One Idempotency-Key of one person: which request it was for and how that was answered."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty while the request is at work.")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_request_per_key")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
