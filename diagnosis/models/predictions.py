"""Model versions and their predictions, which are both queue rows and results."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models.disclosures import ai_hidden_from
from diagnosis.models.leased import Leased
from diagnosis.models.studies import Study, film_visible_to
from pneumoml.cards.card import ArtifactRefused, ModelCard, parse_card


class ModelVersion(models.Model):
    """One registered version of the network. Its folder is found by name under MODELS_DIR."""

    class State(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    version = models.SlugField(unique=True, max_length=80)
    architecture = models.CharField(max_length=80)
    weights_sha256 = models.CharField(max_length=64)
    threshold = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    borderline_low = models.FloatField()
    borderline_high = models.FloatField()
    card = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.REGISTERED)
    registered_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-registered_at"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="one_active_model"),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def typed_card(self) -> ModelCard | None:
        """The card with typed access; None where it lacks what registration requires."""
        try:
            return parse_card(self.card)
        except ArtifactRefused:
            return None


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Predictions, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "PredictionQuerySet":
        """Return the predictions of visible films, each annotated with `ai_hidden`."""
        visible = self.filter(film_visible_to(user, study="study"))
        return visible.annotate(**ai_hidden_from(user, study="study"))


class Prediction(Leased):
    """One run of one model version on one film: a row of the queue, and its result.

    queued → running → succeeded | failed; running → running again when the lease has expired.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Being read")
        SUCCEEDED = "succeeded", _("Ready")
        FAILED = "failed", _("Failed")

    class Outcome(models.TextChoices):
        PNEUMONIA = "pneumonia", _("Above the operating point")
        NORMAL = "normal", _("Below the operating point")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    in_batch = models.BooleanField(
        default=False, editable=False, help_text="Sent to the queue of batches, so that single films pass it."
    )

    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    failure_code = models.CharField(max_length=40, blank=True)

    logit = models.FloatField(null=True)
    probability = models.FloatField(null=True, help_text="The network's raw score, 0 to 1.")
    calibrated_probability = models.FloatField(null=True, help_text="The score after calibration, 0 to 1.")
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    layer = models.CharField(max_length=40, blank=True)
    cam = models.JSONField(null=True, help_text="The Grad-CAM map as numbers: rows of non-negative floats.")
    cam_area = models.JSONField(
        null=True, help_text="The part of the film the map covers: left, top, right, bottom, each 0 to 1."
    )
    cam_strength = models.FloatField(null=True, help_text="The map's largest value, in absolute units.")
    scope_flags = models.JSONField(
        null=True, help_text="Codes of what puts the film out of the model's scope; null: not checked."
    )
    map_flags = models.JSONField(
        null=True, help_text="Codes of what makes the map unreliable; null: not checked."
    )
    precision = models.CharField(
        max_length=10,
        blank=True,
        help_text="The arithmetic of the network's convolutions: float32, bfloat16.",
    )
    preprocess_ms = models.FloatField(null=True)
    forward_ms = models.FloatField(null=True)

    ai_hidden = True  # as in Study: withheld unless `ai_hidden_from` was asked

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "model_version"],
                condition=~Q(status="failed"),
                name="one_live_prediction_per_version",
            ),
            models.CheckConstraint(
                condition=Q(status="succeeded", calibrated_probability__isnull=False, cam__isnull=False)
                | (~Q(status="succeeded") & Q(calibrated_probability__isnull=True)),
                name="result_exactly_when_succeeded",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queued_at"],
                condition=Q(status__in=["queued", "running"]),
                name="prediction_unfinished",
            ),
            models.Index(fields=["status", "-id"], name="prediction_status"),
            models.Index(fields=["status", "queued_at"], name="prediction_waiting"),
            models.Index(fields=["outcome", "-id"], name="prediction_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.study.reference} by {self.model_version.version}"

    @property
    def is_finished(self) -> bool:
        """True once the status can no longer change."""
        return self.status in (self.Status.SUCCEEDED, self.Status.FAILED)

    @property
    def is_borderline(self) -> bool:
        """True when the calibrated probability lies in the card's band around the operating point."""
        if self.calibrated_probability is None:
            return False
        low, high = self.model_version.borderline_low, self.model_version.borderline_high
        return low <= self.calibrated_probability <= high


def newest_prediction(study: Study) -> Prediction | None:
    """Return the prediction that pages and the API show; uses a prefetched list where there is one."""
    return max(study.predictions.all(), key=lambda prediction: prediction.pk, default=None)
