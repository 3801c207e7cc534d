"""Batches: many films sent together as files or as a ZIP, with an outcome for each file."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models.leased import Leased
from diagnosis.models.projects import Project
from diagnosis.models.sites import Site
from diagnosis.models.studies import Study


class BatchQuerySet(models.QuerySet["Batch"]):
    """Batches, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "BatchQuerySet":
        """Return the batches of the projects that `user` works in."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Batch(Leased):
    """Many films of one project that were sent together.

    receiving (files are still being sent) or unpacking (a ZIP waits or is being unpacked)
    → analysing (every file has its outcome, films wait for the AI; stored as "reading") → finished.
    The ZIP lies in the media folder only while `archive` names it, and is in no backup.
    """

    class Source(models.TextChoices):
        FILES = "files", _("Files or a folder")
        ZIP = "zip", _("ZIP archive")

    class State(models.TextChoices):
        RECEIVING = "receiving", _("Being sent")
        UNPACKING = "unpacking", _("Being unpacked")
        ANALYSING = "reading", _("Being read")
        FINISHED = "finished", _("Finished")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="batches")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="batches", null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    source = models.CharField(max_length=5, choices=Source.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    expected = models.PositiveIntegerField(
        null=True, help_text="Number of files that the sender announced, or that the archive holds."
    )
    codes_from_names = models.BooleanField(
        default=False, help_text="A film's subject code is its file name up to the first underscore."
    )
    archive = models.CharField(max_length=200, blank=True, editable=False)
    trouble = models.CharField(
        max_length=300, blank=True, editable=False, help_text="Why it cannot go on just now; empty: it can."
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Attempts since the last file that got its outcome."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["id"], condition=~Q(state="finished"), name="batch_unfinished"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Return the address of the batch's page."""
        return reverse("batch", kwargs={"batch": self.uid})

    @property
    def reference(self) -> str:
        """The short name people use for the batch, for example B-0012."""
        return f"B-{self.pk:04d}" if self.pk else "B-new"


class BatchItem(models.Model):
    """One file of a batch and its outcome.

    The sender's file name may hold a patient's name, so it is never stored: a file is identified by its
    position, its size and the SHA-256 of what was sent. The sender's browser, which knows the names, shows
    them beside these.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        ACCEPTED = "accepted", _("Taken in")
        DUPLICATE = "duplicate", _("Already here")
        REFUSED = "refused", _("Refused")

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    byte_size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file as sent; empty until read.")
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.WAITING)
    study = models.ForeignKey(Study, on_delete=models.SET_NULL, null=True, related_name="batch_items")
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=400, blank=True)
    params = models.JSONField(default=dict, editable=False, help_text="What varies in the decoder's message.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="one_item_per_position"),
        ]
        indexes = [
            models.Index(fields=["batch", "outcome", "position"], name="batchitem_outcome"),
            models.Index(fields=["batch", "sha256"], name="batchitem_sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.batch.reference} no. {self.position}: {self.outcome}"

    @property
    def is_in(self) -> bool:
        """True when its film is stored."""
        return self.outcome in (self.Outcome.ACCEPTED, self.Outcome.DUPLICATE)
