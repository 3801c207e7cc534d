"""Registers the app with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The app `core`."""

    name = "core"
    verbose_name = "Core"
