"""What readers say: reviews that are added to, never overwritten."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from diagnosis.models import Prediction, Study


class Review(models.Model):
    """One reader's opinion on one film at one moment. A later opinion supersedes it and keeps it."""

    class Finding(models.TextChoices):
        NORMAL = "normal", "Normal"
        PNEUMONIA = "pneumonia", "Pneumonia"
        OTHER = "other", "Other finding"
        NOT_READABLE = "not_readable", "Not readable"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="reviews")
    prediction = models.ForeignKey(
        Prediction,
        on_delete=models.PROTECT,
        null=True,
        related_name="reviews",
        help_text="The AI result that the reader had before them.",
    )
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    agrees_with_ai = models.BooleanField(
        null=True, help_text="Empty when there was no AI result to agree with."
    )
    finding = models.CharField(max_length=12, choices=Finding.choices)
    confidence = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="How sure the reader is, 0 to 100.",
    )
    comment = models.TextField(blank=True, max_length=4000)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="superseded_by"
    )
    is_current = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader"], condition=Q(is_current=True), name="one_current_review_per_reader"
            ),
            models.CheckConstraint(condition=Q(confidence__lte=100), name="confidence_at_most_100"),
        ]
        indexes = [models.Index(fields=["study", "-id"], name="review_study")]

    def __str__(self) -> str:
        return f"{self.reader} on {self.study.reference}: {self.finding}"
