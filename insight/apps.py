"""Registers the app with Django."""

from django.apps import AppConfig


class InsightConfig(AppConfig):
    """What many films tell together: statistics, exports, reports."""

    name = "insight"
    verbose_name = "Insight"
