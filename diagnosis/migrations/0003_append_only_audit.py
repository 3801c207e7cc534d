"""Triggers that refuse every UPDATE, DELETE and TRUNCATE of the audit trail, on SQLite and PostgreSQL."""

from typing import Any

from django.db import migrations

INSTALL = {
    "sqlite": [
        """
        CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON diagnosis_auditevent
        BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END
        """,
        """
        CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON diagnosis_auditevent
        BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_refuses_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'integrity_constraint_violation'; END
        $$
        """,
        """
        CREATE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON diagnosis_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses_change()
        """,
    ],
}
REMOVE = {
    "sqlite": ["DROP TRIGGER IF EXISTS audit_refuses_update", "DROP TRIGGER IF EXISTS audit_refuses_delete"],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_refuses_change ON diagnosis_auditevent",
        "DROP FUNCTION IF EXISTS audit_refuses_change()",
    ],
}


def _run(statements: dict[str, list[str]], connection: Any) -> None:
    """Execute the database's own dialect; other databases keep the chain, which shows what a trigger would stop."""
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)


def install(apps: Any, schema_editor: Any) -> None:
    """Set the triggers."""
    _run(INSTALL, schema_editor.connection)


def remove(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away."""
    _run(REMOVE, schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0002_baseline")]

    operations = [migrations.RunPython(install, remove)]
