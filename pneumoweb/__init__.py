"""Wiring: settings, URLs, Celery, WSGI; no domain logic."""

from pneumoweb.celery import app as celery_app

__all__ = ["celery_app"]
