"""Migration operations of our own: models that move to another app and keep their tables."""

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation


def moved_models(*created: Operation, old: str, new: str) -> list[Operation]:
    """Return the operations of app `new` that take over models of app `old`, which keep their tables.

    `created` are CreateModel operations with the tables' old names as `db_table`. They change what Django
    knows and not the database. Content types go along, and with them the permissions that people hold.
    """
    names = [operation.name.lower() for operation in created if isinstance(operation, migrations.CreateModel)]
    return [
        migrations.SeparateDatabaseAndState(state_operations=list(created)),
        migrations.RunPython(_rename(names, old, new), _rename(names, new, old)),
    ]


def _rename(names: list[str], old: str, new: str) -> Callable[[Any, Any], None]:
    def rename(apps: Any, schema_editor: Any) -> None:
        content_types = apps.get_model("contenttypes", "ContentType").objects.using(
            schema_editor.connection.alias
        )
        content_types.filter(app_label=old, model__in=names).update(app_label=new)

    return rename
