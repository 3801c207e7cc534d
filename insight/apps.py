"""Registers the app with Django."""

from django.apps import AppConfig


class InsightConfig(AppConfig):
    """Statistics, exports and reports over many films."""

    name = "insight"
    verbose_name = "Insight"
