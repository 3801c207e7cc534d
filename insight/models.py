"""Daily rollups by project, so that a page of statistics reads days instead of films."""

from django.db import models

from diagnosis.models import Project


class DayFigures(models.Model):
    """Rollup of the films of one project uploaded on one day; days without films have no row.

    Days are in the installation's time zone. Films in the trash are left out. A row is valid while its day
    has no `ChangedHour`; `insight.statistics.daily_rollups` recomputes such days.
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
    """A dirty hour (UTC) of uploads to a project: something about its films has changed; written by triggers.

    An hour may have many rows: recomputing a day removes only the rows that it saw.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["hour", "project"], name="changed_hour")]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.hour}"
