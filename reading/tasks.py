"""Celery's doors of reading: call one verb."""

from celery import shared_task

from reading import trash


@shared_task(name="reading.tasks.purge_trash")
def purge_trash() -> None:
    """Delete for good what has been in the trash long enough."""
    trash.purge_trash()
