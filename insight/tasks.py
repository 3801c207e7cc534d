"""Celery tasks of insight."""

from celery import shared_task

from insight.statistics import daily_rollups


@shared_task(name="insight.tasks.refresh_figures")
def refresh_figures() -> None:
    """Recompute the daily rollups of changed days."""
    daily_rollups.refresh()
