"""Migration operations of our own: models that change the app but not the table, and append-only tables."""

from collections.abc import Callable, Sequence
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


class AppendOnly(Operation):
    """Sets triggers that refuse to change or delete rows of a table, on SQLite and PostgreSQL.

    `name` begins the names of the triggers. `columns` narrows what may not be updated, `when` (SQL about
    `OLD`) which rows are guarded. On PostgreSQL whole statements are refused, TRUNCATE too; with `each_row`
    or `when`, only statements that reach a guarded row.

    On SQLite a later migration that alters the table makes it anew without triggers: such a migration ends
    with this operation again.
    """

    reversible = True

    def __init__(
        self,
        *,
        table: str,
        name: str,
        message: str,
        columns: Sequence[str] = (),
        when: str = "",
        each_row: bool = False,
    ) -> None:
        self.table = table
        self.name = name
        self.message = message.replace("'", "''")
        self.update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
        self.when = when
        self.each_row = each_row or bool(when)

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state of the models alone."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Set the triggers."""
        self.install(schema_editor.connection)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove the triggers."""
        self.remove(schema_editor.connection)

    def describe(self) -> str:
        """Return what `migrate --plan` shows."""
        return f"Make table {self.table} append-only"

    def install(self, connection: Any) -> None:
        """Set the triggers; databases other than the two have none."""
        _execute(connection, {"sqlite": self._for_sqlite, "postgresql": self._for_postgresql})

    def remove(self, connection: Any) -> None:
        """Remove the triggers where they are set."""
        _execute(connection, {"sqlite": self._off_sqlite, "postgresql": self._off_postgresql})

    def _for_sqlite(self) -> list[str]:
        condition = f" WHEN {self.when}" if self.when else ""
        return [
            f"CREATE TRIGGER {self.name}_refuses_{kind} BEFORE {event} ON {self.table}{condition} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
            for kind, event in (("update", self.update), ("delete", "DELETE"))
        ]

    def _off_sqlite(self) -> list[str]:
        return [f"DROP TRIGGER IF EXISTS {self.name}_refuses_{kind}" for kind in ("update", "delete")]

    def _for_postgresql(self) -> list[str]:
        function = f"{self.name}_refuses_change()"
        message = self.message.replace("%", "%%")
        body = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'"
        each = f"FOR EACH ROW WHEN ({self.when})" if self.when else "FOR EACH ROW"
        return [
            f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$",
            *(
                f"CREATE TRIGGER {self.name}_refuses_{kind} BEFORE {event} ON {self.table} "
                f"{each if self.each_row else 'FOR EACH STATEMENT'} EXECUTE FUNCTION {function}"
                for kind, event in self._events().items()
            ),
        ]

    def _off_postgresql(self) -> list[str]:
        return [
            *(
                f"DROP TRIGGER IF EXISTS {self.name}_refuses_{kind} ON {self.table}"
                for kind in self._events()
            ),
            f"DROP FUNCTION IF EXISTS {self.name}_refuses_change()",
        ]

    def _events(self) -> dict[str, str]:
        """Return the ends of the triggers' names on PostgreSQL, and the statements that set them off."""
        if self.when:
            return {"update": self.update, "delete": "DELETE"}
        return {"change": f"{self.update} OR DELETE" + ("" if self.each_row else " OR TRUNCATE")}


def _execute(connection: Any, statements: dict[str, Callable[[], list[str]]]) -> None:
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, list)():
            cursor.execute(statement)
