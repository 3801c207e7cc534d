"""What is stored: projects, studies, model versions, predictions, the audit trail, worker signs of life."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils import timezone

from diagnosis.dicom_fields import DicomFields
from diagnosis.roles import AnyUser, may_review, sees_every_project


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "ProjectQuerySet":
        """Return the projects that `user` works in: all for auditors and administrators."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if sees_every_project(user):
            return self
        mine = ProjectMembership.objects.filter(user=user).values("project")
        return self.filter(Q(open_to_all=True) | Q(pk__in=mine))


class Project(models.Model):
    """A clinical study's collection of films. Membership decides who sees them."""

    class AiVisibility(models.TextChoices):
        SHOWN = "shown", "Shown from the start"
        HIDDEN = "hidden", "Hidden from a reader until they have signed their own read"

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    open_to_all = models.BooleanField(
        default=False, help_text="Everybody who can sign in works in this project, without membership."
    )
    ai_visibility = models.CharField(
        "AI result",
        max_length=6,
        choices=AiVisibility.choices,
        default=AiVisibility.SHOWN,
        help_text="For readers. Uploaders, auditors and administrators who are no readers always see it.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ProjectMembership(models.Model):
    """One person's place in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"


def ai_hidden_from(user: AnyUser, *, study: str = "") -> dict[str, Combinable]:
    """Return the annotation `ai_hidden`: true where the study's AI result is withheld from `user` now.

    The one place where this is decided. `study` is the way from the queried model to the study, for example
    "study" for predictions. Readers of a project that hides results see one once they have signed their read.
    """
    if not isinstance(user, User) or not user.is_active:
        return {"ai_hidden": Value(True)}
    if not may_review(user):
        return {"ai_hidden": Value(False)}
    way = f"{study}__" if study else ""
    opened = ResultDisclosure.objects.filter(reader=user, study=OuterRef(f"{way}pk"))
    hides = Q(**{f"{way}project__ai_visibility": Project.AiVisibility.HIDDEN})
    return {"ai_hidden": ExpressionWrapper(hides & ~Exists(opened), output_field=models.BooleanField())}


AI_SHOWN = Q(ai_hidden=False)  # narrows what was annotated with `ai_hidden`


class StudyQuerySet(models.QuerySet["Study"]):
    """Studies, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "StudyQuerySet":
        """Return the films of the user's projects that are not in the trash, each with its `ai_hidden`.

        The one place where visibility is decided: pages, API, search, export, media and admin use it.
        """
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        kept = self.filter(deleted_at__isnull=True).annotate(**ai_hidden_from(user))
        if sees_every_project(user):
            return kept
        return kept.filter(project__in=Project.objects.visible_to(user))


def _original_path(study: "Study", filename: str) -> str:
    """Name the original by the study's own id: the sender's file name is never used."""
    return f"studies/{study.uid.hex[:2]}/{study.uid}/original.{study.media_format.lower()}"


def _display_path(study: "Study", filename: str) -> str:
    return f"studies/{study.uid.hex[:2]}/{study.uid}/display.png"


def _thumbnail_path(study: "Study", filename: str) -> str:
    return f"studies/{study.uid.hex[:2]}/{study.uid}/thumbnail.jpg"


class Study(DicomFields):
    """One chest film as it was taken in: the original (of DICOM: de-identified), and our own grey copy."""

    class MediaFormat(models.TextChoices):
        JPEG = "JPEG"
        PNG = "PNG"
        DICOM = "DICOM"

    class Source(models.TextChoices):
        FILE = "file", "Uploaded file"
        URL = "url", "Fetched from a URL"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="studies")
    subject_code = models.CharField(
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9._-]*\Z", "Use letters, digits, dot, dash and underscore.")],
        help_text="The subject's code in your study, for example S-017. Never a name or a hospital number.",
    )
    source = models.CharField(max_length=4, choices=Source.choices)
    media_format = models.CharField(max_length=5, choices=MediaFormat.choices)
    sha256 = models.CharField(max_length=64, editable=False)
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bit_depth = models.PositiveSmallIntegerField()
    colour_fraction = models.FloatField(
        null=True, editable=False, help_text="Share of clearly coloured pixels in the file as sent, 0 to 1."
    )
    original = models.FileField(upload_to=_original_path, max_length=200)
    display = models.FileField(upload_to=_display_path, max_length=200)
    thumbnail = models.FileField(upload_to=_thumbnail_path, max_length=200)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="studies"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Whether the AI result is withheld from the person who asks; `visible_to` answers it for each film.
    # A door that reads a film by another way withholds the result.
    ai_hidden = True

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "studies"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "sha256"],
                condition=Q(deleted_at__isnull=True),
                name="one_film_per_project",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="study_newest"),
            models.Index(fields=["project", "-created_at", "-id"], name="study_project_newest"),
            models.Index(fields=["subject_code"], name="study_subject"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Return the address of the study's page."""
        return reverse("study", kwargs={"uid": self.uid})

    @property
    def reference(self) -> str:
        """The short name people use for the film, for example PW-000123."""
        return f"PW-{self.pk:06d}" if self.pk else "PW-new"

    @property
    def newest_prediction(self) -> "Prediction | None":
        """The prediction that pages and the API show; uses a prefetched list where there is one."""
        return max(self.predictions.all(), key=lambda prediction: prediction.pk, default=None)


class ModelVersion(models.Model):
    """One registered version of the network. Its folder is found by name under MODELS_DIR."""

    class State(models.TextChoices):
        REGISTERED = "registered", "Registered"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

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


class Prediction(models.Model):
    """One run of one model version on one film: the queue's row and its result in one.

    queued → running → succeeded | failed; running → running again when the lease has expired.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Being read"
        SUCCEEDED = "succeeded", "Ready"
        FAILED = "failed", "Failed"

    class Outcome(models.TextChoices):
        PNEUMONIA = "pneumonia", "Above the operating point"
        NORMAL = "normal", "Below the operating point"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
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
    preprocess_ms = models.FloatField(null=True)
    forward_ms = models.FloatField(null=True)

    ai_hidden = True  # as in Study: a door that has not asked `ai_hidden_from` withholds the result

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


class ResultDisclosure(models.Model):
    """One reader to whom the AI result of one film is open, since they have given their own read."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="disclosures")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "reader"], name="one_disclosure_each")]

    def __str__(self) -> str:
        return f"{self.study.reference} to {self.reader}"


class AuditHead(models.Model):
    """The end of the audit chain: one row, locked while an event is appended."""

    last_seq = models.PositiveBigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, default="0" * 64)


class AuditEvent(models.Model):
    """One thing that somebody did. Append-only: triggers refuse changes, the chain shows tampering."""

    seq = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, help_text="No foreign key: the trail outlives the account.")
    actor_name = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["verb", "-seq"], name="audit_verb"),
            models.Index(fields=["-at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.actor_name} {self.verb}"


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
