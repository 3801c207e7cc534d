"""Reviews: opinions of readers, appended, never overwritten."""

import hashlib
import json
import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models import Prediction, Study, ai_hidden_from, film_visible_to
from reading.models.opinions import OTHERS_SHOWN, others_hidden_from
from reading.region import Region


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews, narrowed to what a person may see, or to what counts."""

    def visible_to(self, user: AnyUser) -> "ReviewQuerySet":
        """Return the reviews of visible films, each with its `ai_hidden` and `others_hidden`.

        While a film's AI result is withheld from a reader, so are others' reviews: they would bias the read,
        and an agreement discloses the result. A project may withhold them in any case.
        """
        if not isinstance(user, User):
            return self.none()
        return self.filter(film_visible_to(user, study="study")).shown_to(user)

    def shown_to(self, user: User) -> "ReviewQuerySet":
        """Leave out what is withheld, for reviews of films that come from `visible_to`.

        For long lists that read reviews in chunks: `visible_to` would check every film each time.
        """
        reviews = self.annotate(**ai_hidden_from(user, study="study"))
        reviews = reviews.annotate(**others_hidden_from(user, study="study"))
        return reviews.filter(OTHERS_SHOWN | Q(reader=user))

    def signed(self) -> "ReviewQuerySet":
        """Return what was signed: first reads and addenda."""
        return self.filter(signed_at__isnull=False)

    def reads(self) -> "ReviewQuerySet":
        """Return the signed reads alone, at most one per reader and film: what statistics count."""
        return self.signed().filter(addendum_to__isnull=True)


class Review(models.Model):
    """One reader's opinion on one film at one moment: a draft, or final once it is signed.

    A later opinion supersedes it and keeps it. After a signature a later opinion is an addendum to the signed
    read. Database triggers refuse to change or delete what is signed, except `is_current`.
    """

    class Finding(models.TextChoices):
        NORMAL = "normal", _("Normal")
        PNEUMONIA = "pneumonia", _("Pneumonia")
        OTHER = "other", _("Other finding")
        NOT_READABLE = "not_readable", _("Not readable")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="reviews")
    prediction = models.ForeignKey(
        Prediction,
        on_delete=models.PROTECT,
        null=True,
        related_name="reviews",
        help_text="The AI result that the reader had before them; empty when they had none.",
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
    region_x = models.FloatField(null=True, editable=False)
    region_y = models.FloatField(null=True, editable=False)
    region_width = models.FloatField(null=True, editable=False)
    region_height = models.FloatField(null=True, editable=False)
    open_seconds = models.PositiveIntegerField(
        null=True, editable=False, help_text="From opening to saving, all drafts of this read together."
    )
    active_seconds = models.PositiveIntegerField(
        null=True, editable=False, help_text="Of these, as the page reports, with the reader at work."
    )
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="superseded_by"
    )
    addendum_to = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="addenda",
        help_text="The same reader's signed read that this adds to.",
    )
    is_current = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    signed_at = models.DateTimeField(null=True, editable=False)

    # Whether the AI result is withheld from the user; `visible_to` annotates it.
    ai_hidden = True

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader"], condition=Q(is_current=True), name="one_current_review_per_reader"
            ),
            models.UniqueConstraint(
                fields=["study", "reader"],
                condition=Q(signed_at__isnull=False, addendum_to__isnull=True),
                name="one_signed_read_per_reader",
            ),
            models.CheckConstraint(condition=Q(confidence__lte=100), name="confidence_at_most_100"),
            models.CheckConstraint(
                condition=Q(region_x=None, region_y=None, region_width=None, region_height=None)
                | Q(
                    region_x__isnull=False,
                    region_y__isnull=False,
                    region_width__isnull=False,
                    region_height__isnull=False,
                    region_x__gte=0,
                    region_y__gte=0,
                    region_width__gt=0,
                    region_height__gt=0,
                    region_x__lte=1 - F("region_width") + 1e-9,
                    region_y__lte=1 - F("region_height") + 1e-9,
                ),
                name="region_within_the_film",
            ),
        ]
        indexes = [
            models.Index(fields=["study", "-id"], name="review_study"),
            models.Index(fields=["reader"], condition=Q(signed_at__isnull=True), name="review_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.reader} on {self.study.reference}: {self.finding}"

    @property
    def is_signed(self) -> bool:
        """True once it is final."""
        return self.signed_at is not None

    @property
    def region(self) -> Region | None:
        """The region drawn on the film, in shares of its width and height."""
        if self.region_x is None or self.region_y is None:
            return None
        return Region(self.region_x, self.region_y, self.region_width or 0.0, self.region_height or 0.0)

    def digest(self) -> str:
        """Return the SHA-256 of what was signed, as the audit trail keeps it."""
        signed = {
            "study": str(self.study.uid),
            "reader": self.reader_id,
            "finding": self.finding,
            "confidence": self.confidence,
            "agrees_with_ai": self.agrees_with_ai,
            "comment": self.comment,
            "region": [self.region_x, self.region_y, self.region_width, self.region_height],
            "prediction": str(self.prediction.uid) if self.prediction else None,
            "addendum_to": str(self.addendum_to.uid) if self.addendum_to else None,
        }
        return hashlib.sha256(json.dumps(signed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
