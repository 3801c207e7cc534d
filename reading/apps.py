"""Registers the app with Django."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """What readers say about films."""

    name = "reading"
    verbose_name = "Reading"
