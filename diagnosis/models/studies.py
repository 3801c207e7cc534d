"""Chest films, and who may see them. A `Study` is one film."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import sees_every_project
from core.users import AnyUser
from diagnosis.models.dicom_fields import DicomFields
from diagnosis.models.disclosures import ai_hidden_from
from diagnosis.models.projects import Project
from diagnosis.models.sites import Site
from diagnosis.models.study_state import StudyState


class StudyQuerySet(models.QuerySet["Study"]):
    """Films, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "StudyQuerySet":
        """Return the films of the user's projects that are not in the trash, each with its `ai_hidden`.

        The one place where visibility is decided: pages, API, search, export, media and admin use it.
        """
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(film_visible_to(user)).annotate(**ai_hidden_from(user))


def film_visible_to(user: AnyUser, *, study: str = "") -> Q:
    """Return the condition behind `visible_to`, for rows that belong to a film; `study` is the lookup path.

    The database checks it row by row on the joined film; a subquery would list all visible films first.
    """
    prefix = f"{study}__" if study else ""
    if not isinstance(user, User) or not user.is_active:
        return Q(pk__in=[])
    kept = Q(**{f"{prefix}deleted_at__isnull": True})
    if sees_every_project(user):
        return kept
    return kept & Q(**{f"{prefix}project__in": Project.objects.visible_to(user)})


def _original_path(study: "Study", filename: str) -> str:
    """Name the original by the film's own id: the sender's file name is never used."""
    return f"studies/{study.uid.hex[:2]}/{study.uid}/original.{study.media_format.lower()}"


def _display_path(study: "Study", filename: str) -> str:
    return f"studies/{study.uid.hex[:2]}/{study.uid}/display.png"


def _thumbnail_path(study: "Study", filename: str) -> str:
    return f"studies/{study.uid.hex[:2]}/{study.uid}/thumbnail.jpg"


class Study(DicomFields, StudyState):
    """One chest film: the original as uploaded (DICOM: de-identified) and a normalised greyscale PNG."""

    class MediaFormat(models.TextChoices):
        JPEG = "JPEG"
        PNG = "PNG"
        DICOM = "DICOM"

    class Source(models.TextChoices):
        FILE = "file", _("Uploaded file")
        URL = "url", _("Fetched from a URL")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="studies")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="studies", null=True, blank=True)
    subject_code = models.CharField(
        max_length=40,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Za-z0-9._-]*\Z", _("Use letters, digits, dot, dash and underscore."))
        ],
        help_text=_(
            "The subject's code in your study, for example S-017. Never a name or a hospital number."
        ),
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

    # Whether the AI result is withheld from the person who asks; `visible_to` sets it for each film.
    # For a film from another query it stays withheld.
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
            models.Index(
                fields=["site", "-created_at", "-id"],
                condition=Q(site__isnull=False),
                name="study_site_newest",
            ),
            models.Index(fields=["subject_code", "id"], name="study_subject"),
            # As PostgreSQL needs it to find how codes and sums begin; SQLite takes any index for that.
            models.Index(
                fields=["subject_code"], name="study_subject_begins", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["sha256"], name="study_sha256", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["uploaded_by", "-created_at", "-id"], name="study_uploader_newest"),
            models.Index(fields=["result_status", "-created_at", "-id"], name="study_status_newest"),
            models.Index(
                fields=["project", "result_status", "-created_at", "-id"], name="study_project_status"
            ),
            models.Index(fields=["result_outcome", "-created_at", "-id"], name="study_outcome_newest"),
            models.Index(fields=["-result_score", "-id"], name="study_score"),
            models.Index(
                fields=["-created_at", "-id"], condition=Q(is_reviewed=True), name="study_reviewed_newest"
            ),
            models.Index(fields=["-id"], condition=Q(reads_signed__gt=0), name="study_read"),
            models.Index(
                fields=["-created_at", "-id"], condition=Q(reads_signed__gt=0), name="study_read_newest"
            ),
            models.Index(fields=["created_at", "id"], condition=Q(reads_differ=True), name="study_differs"),
            models.Index(fields=["-id"], condition=Q(reads_differ=True), name="study_differs_newest"),
            models.Index(
                fields=["created_at", "id"],
                condition=Q(wants_reads=True, deleted_at__isnull=True),
                name="study_wanting",
            ),
            models.Index(
                fields=["-result_score", "id"],
                condition=Q(wants_reads=True, deleted_at__isnull=True),
                name="study_wanting_score",
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                condition=Q(wants_reads=True, deleted_at__isnull=True),
                name="study_project_wanting",
            ),
            models.Index(
                fields=["-deleted_at", "-id"], condition=Q(deleted_at__isnull=False), name="study_trash"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Return the address of the film's page."""
        return reverse("study", kwargs={"uid": self.uid})

    @property
    def reference(self) -> str:
        """The short name people use for the film, for example PW-000123."""
        return f"PW-{self.pk:06d}" if self.pk else "PW-new"
