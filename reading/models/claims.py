"""Reading claims."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from diagnosis.models import Study


class ReadingClaim(models.Model):
    """Who is reading a film now: advisory and expiring, not a lock."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="claim")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.study.reference} with {self.reader}"
