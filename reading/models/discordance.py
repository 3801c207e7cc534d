"""Recorded reasons of discordance, and adjudications."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Study
from reading.models.reviews import Review


class DiscordanceReason(models.Model):
    """Why readers and AI, or readers among themselves, differ on a film, as somebody saw it."""

    class Kind(models.TextChoices):
        READER_AI = "reader_ai", _("Reader and AI differ")
        READERS = "readers", _("Readers differ")
        CONFIDENT_WRONG = "confident_wrong", _("Confident AI, sure reader, opposite")

    class Reason(models.TextChoices):
        AI_MISSED = "ai_missed", _("AI missed a finding")
        AI_OVERCALLED = "ai_overcalled", _("AI called a normal film")
        READER_MISSED = "reader_missed", _("Reader missed a finding")
        READER_OVERCALLED = "reader_overcalled", _("Reader called a normal film")
        SUBTLE = "subtle", _("Subtle or ambiguous finding")
        QUALITY = "quality", _("Quality or position of the film")
        OTHER_DISEASE = "other_disease", _("Another disease")
        OTHER = "other", _("Something else, see the note")

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


class Adjudication(models.Model):
    """The final finding of a film whose signed reads differ. Never a read: statistics leave it out.

    It is final when written. Database triggers refuse to change or delete it; a later one is added, and the
    newest counts.
    """

    class Basis(models.TextChoices):
        THIRD_READER = "third_reader", _("Decided by a reader who had not read the film")
        CONSENSUS = "consensus", _("Consensus, recorded by a reader of the film")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="adjudications")
    adjudicator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=12, choices=Basis.choices)
    finding = models.CharField(max_length=12, choices=Review.Finding.choices)
    rationale = models.TextField(max_length=2000)
    decided_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["study", "-id"], name="adjudication_study")]

    def __str__(self) -> str:
        return f"{self.study.reference}: {self.finding}"
