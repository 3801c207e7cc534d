"""Registers the app with Django."""

from django.apps import AppConfig


class DiagnosisConfig(AppConfig):
    """Films and AI results."""

    name = "diagnosis"
    verbose_name = "Films and AI results"
