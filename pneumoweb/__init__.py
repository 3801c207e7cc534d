"""Wiring only: settings, URLs, Celery, WSGI and the supervisor. No domain logic lives here."""

from pneumoweb.celery import app as celery_app

__all__ = ["celery_app"]
