"""Films on which opinions differ: the reasons that people gave."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from diagnosis.models import Study


class DiscordanceReason(models.Model):
    """Why readers and AI, or readers among themselves, differ on a film, as somebody saw it."""

    class Kind(models.TextChoices):
        READER_AI = "reader_ai", "Reader and AI differ"
        READERS = "readers", "Readers differ"
        CONFIDENT_WRONG = "confident_wrong", "Confident AI, sure reader, opposite"

    class Reason(models.TextChoices):
        AI_MISSED = "ai_missed", "AI missed a finding"
        AI_OVERCALLED = "ai_overcalled", "AI called a normal film"
        READER_MISSED = "reader_missed", "Reader missed a finding"
        READER_OVERCALLED = "reader_overcalled", "Reader called a normal film"
        SUBTLE = "subtle", "Subtle or ambiguous finding"
        QUALITY = "quality", "Quality or position of the film"
        OTHER_DISEASE = "other_disease", "Another disease"
        OTHER = "other", "Something else, see the note"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="discordance_reasons")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    reason = models.CharField(max_length=17, choices=Reason.choices)
    note = models.TextField(blank=True, max_length=1000)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.study.reference}: {self.reason}"
