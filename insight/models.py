"""Sums over films by project and day, so that a page of statistics reads days instead of films."""

from django.db import models

from diagnosis.models import Project


class DayFigures(models.Model):
    """What the films of one project that came in on one day add up to; days without films have no row.

    A day is one of the installation's time zone. Films in the trash are left out. The row is right for as
    long as no `ChangedHour` speaks of its day; `insight.statistics.daily_rollups` works such days out anew.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    films = models.PositiveIntegerField()
    ready = models.PositiveIntegerField(help_text="Films whose newest reading by the AI has succeeded.")
    waiting = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    reviewed = models.PositiveIntegerField(help_text="Films with any review, a draft too.")
    signed = models.PositiveIntegerField(help_text="Films with a signed read.")
    waits = models.JSONField(help_text="Seconds from queue to result, of each result: bucket and number.")
    to_result = models.JSONField(help_text="Seconds from upload to the first result of each film.")
    to_signature = models.JSONField(help_text="Seconds from upload to the first signed read of each film.")
    scores = models.JSONField(help_text="Of each model version: ten bins of the calibrated probability.")
    sites = models.JSONField(
        help_text="Of each site (0: none): films, and how many are ready, waiting, failed."
    )
    readers = models.JSONField(help_text="Of each reader: number of films signed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "day"], name="one_row_per_day")]

    def __str__(self) -> str:
        return f"{self.project_id} on {self.day}"


class ChangedHour(models.Model):
    """An hour (UTC) of uploads to a project of which something has changed since; written by triggers alone.

    Many rows may speak of one hour: who works a day out anew removes those it saw, and no others.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["hour", "project"], name="changed_hour")]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.hour}"
