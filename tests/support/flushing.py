"""Emptying the test database between transactional tests, although audit trail and signed reviews stay.

Django empties every table after such a test. Here the triggers are removed for that moment only, and what
the migrations had put into the tables is put back, so that the next test finds a fresh installation.
"""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.core.management.commands.flush import Command as Flush
from django.db import connection

_audit = import_module("audit.migrations.0001_initial")
_baseline = import_module("diagnosis.migrations.0002_baseline")
_review_rights = import_module("reading.migrations.0002_review_rights")
_append_only = [
    import_module(name).TRIGGERS
    for name in (
        "diagnosis.migrations.0003_append_only_audit",
        "reading.migrations.0004_signed_reviews_stay",
        "reading.migrations.0006_second_reader",
    )
]
_empty_tables = Flush.handle


class _AppsBeforeTheMove:
    """The installed apps by the names that early migrations know: the audit head was in the app diagnosis."""

    def get_model(self, app_label: str, name: str) -> Any:
        """Return the model of today."""
        return apps.get_model("audit" if name == "AuditHead" else app_label, name)


def flush_to_fresh_installation(self: Flush, **options: Any) -> None:
    """Do what `manage.py flush` does, then what the migrations do to empty tables."""
    editor = SimpleNamespace(connection=connection)
    for triggers in _append_only:
        triggers.remove(connection)
    _empty_tables(self, **options)
    _baseline.make_baseline(_AppsBeforeTheMove(), editor)
    _audit.grant_rights(apps, editor)
    _review_rights.let_them_look(apps, editor)
    for triggers in _append_only:
        triggers.install(connection)


def install() -> None:
    """Let Django's test cases use it; in production `flush` stays as it is, and the triggers refuse it."""
    Flush.handle = flush_to_fresh_installation  # type: ignore[method-assign, assignment]
