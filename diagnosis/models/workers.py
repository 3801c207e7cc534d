"""Heartbeats of workers."""

from django.db import models


class WorkerStatus(models.Model):
    """A worker's last heartbeat, recorded after completed work."""

    name = models.CharField(max_length=120, unique=True)
    last_seen_at = models.DateTimeField()
    loaded_version = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "worker status"

    def __str__(self) -> str:
        return self.name
