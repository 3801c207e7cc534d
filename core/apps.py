"""Registers the app with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Core."""

    name = "core"
    verbose_name = "Core"
