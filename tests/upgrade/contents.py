"""Counts and checksums of a database, without the app labels of its models.

python -m tests.upgrade.contents    prints it as JSON, of the installation that the environment names
"""

import hashlib
import json
import sys
from collections import defaultdict
from datetime import date, datetime, time
from typing import Any

import django

# Compared by meaning: their ids and labels change when a model moves to another app.
BY_MEANING = (
    "django_content_type",
    "django_migrations",
    "auth_permission",
    "auth_group_permissions",
    "auth_user_user_permissions",
)
Columns = dict[str, list[str]]


def contents(columns: Columns | None = None) -> dict[str, Any]:
    """Return everything; of each table in `columns` only these columns, since later versions may add some."""
    return {
        "tables": {name: _table(model, columns or {}) for name, model in sorted(tables().items())},
        "permissions": permissions(),
        "triggers": triggers(),
        "indexes": indexes(),
    }


def tables() -> dict[str, Any]:
    """Return every model with a table of its own by the table's name, many-to-many tables too."""
    from django.apps import apps

    models = apps.get_models(include_auto_created=True)
    named = {model._meta.db_table: model for model in models if model._meta.managed and not model._meta.proxy}
    return {name: model for name, model in named.items() if name not in BY_MEANING}


def _table(model: Any, columns: Columns) -> dict[str, Any]:
    meta = model._meta
    fields = sorted(meta.concrete_fields, key=lambda field: str(field.column))
    if meta.auto_created:  # ids of many-to-many rows mean nothing
        fields = [field for field in fields if not field.primary_key]
    wanted = columns.get(meta.db_table)
    fields = [field for field in fields if wanted is None or field.column in wanted]
    models = _models_by_number() if meta.db_table == "django_admin_log" else {}
    rows = []
    for row in model._base_manager.order_by("pk").iterator(chunk_size=500):
        values = {field.column: field.value_from_object(row) for field in fields}
        if "content_type_id" in values:
            values["content_type_id"] = models.get(values["content_type_id"])
        rows.append({name: as_text(value) for name, value in values.items()})
    rows.sort(key=lambda row: row.get(meta.pk.column) or as_text(sorted(row.items())))
    names = [field.column for field in fields]
    return {
        "rows": len(rows),
        "sha256": _sha256([[row[name] for name in names] for row in rows]),
        "columns": {name: _sha256([row[name] for row in rows])[:16] for name in names},
    }


def as_text(value: Any) -> str:
    """Return a value as both databases give it: moments as ISO 8601, JSON with its keys in order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _sha256(values: list[Any]) -> str:
    return hashlib.sha256("\n".join(map(as_text, values)).encode()).hexdigest()


def _models_by_number() -> dict[int, str]:
    from django.contrib.contenttypes.models import ContentType

    return {kind.pk: kind.model for kind in ContentType.objects.all()}


def permissions() -> dict[str, Any]:
    """Return which models and permissions there are, and who holds them, as “model.codename”."""
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType

    held: dict[str, dict[str, list[str]]] = {"groups": defaultdict(list), "users": defaultdict(list)}
    for kind, holders, name in (("groups", Group, "permissions"), ("users", User, "user_permissions")):
        for holder in holders._default_manager.order_by("pk"):
            for permission in getattr(holder, name).select_related("content_type"):
                held[kind][str(holder)].append(_name(permission))
    kinds = list(ContentType.objects.all())
    return {
        "models": sorted(kind.model for kind in kinds),
        "without_a_model": sorted(str(kind.natural_key()) for kind in kinds if kind.model_class() is None),
        "permissions": sorted(_name(each) for each in Permission.objects.select_related("content_type")),
        "held": {kind: {who: sorted(all_) for who, all_ in sorted(by.items())} for kind, by in held.items()},
        "may": {user.username: _may(user) for user in User.objects.filter(is_superuser=False)},
    }


def _name(permission: Any) -> str:
    return f"{permission.content_type.model}.{permission.codename}"


def _may(user: Any) -> dict[str, Any]:
    """Return what Django grants the user, without the apps' labels."""
    codenames = sorted(name.partition(".")[2] for name in user.get_all_permissions())
    return {"permissions": len(codenames), "sha256": _sha256(codenames)}


_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
    "WHERE NOT tgisinternal AND tgenabled = 'O'",
}
_INDEXES = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'",
}


def triggers() -> list[str]:
    """Return “trigger on table” for each enabled trigger."""
    return _pairs(_TRIGGERS)


def indexes() -> list[str]:
    """Return “index on table” for each index that was created by name."""
    return _pairs(_INDEXES)


def _pairs(statements: dict[str, str]) -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor])
        return sorted(f"{name} on {table}" for name, table in cursor.fetchall())


if __name__ == "__main__":
    django.setup()
    json.dump(contents(), sys.stdout, indent=1, ensure_ascii=False)
