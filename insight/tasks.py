"""Celery's doors of insight: call one verb."""

from celery import shared_task

from insight.statistics import daily_rollups


@shared_task(name="insight.tasks.refresh_figures")
def refresh_figures() -> None:
    """Write down anew what the days add up to that have changed."""
    daily_rollups.refresh()
