"""Triggers that refuse to change or delete a signed review, on SQLite and PostgreSQL.

`is_current` alone may change, since an addendum supersedes. On SQLite a later migration that alters the table
makes it anew and loses the triggers: such a migration ends with `remove` and `install` of this one.
"""

from typing import Any

from django.db import migrations

COLUMNS = (
    "id, uid, study_id, prediction_id, reader_id, agrees_with_ai, finding, confidence, comment, region_x, region_y, "
    "region_width, region_height, open_seconds, active_seconds, supersedes_id, addendum_to_id, created_at, signed_at"
)
INSTALL = {
    "sqlite": [
        f"""
        CREATE TRIGGER signed_review_refuses_update BEFORE UPDATE OF {COLUMNS} ON reading_review
        WHEN OLD.signed_at IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'A signed review is final.'); END
        """,
        """
        CREATE TRIGGER signed_review_refuses_delete BEFORE DELETE ON reading_review
        WHEN OLD.signed_at IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'A signed review is final.'); END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION signed_review_refuses_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'A signed review is final.' USING ERRCODE = 'integrity_constraint_violation'; END
        $$
        """,
        f"""
        CREATE TRIGGER signed_review_refuses_update BEFORE UPDATE OF {COLUMNS} ON reading_review
        FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION signed_review_refuses_change()
        """,
        """
        CREATE TRIGGER signed_review_refuses_delete BEFORE DELETE ON reading_review
        FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION signed_review_refuses_change()
        """,
    ],
}
REMOVE = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS signed_review_refuses_update",
        "DROP TRIGGER IF EXISTS signed_review_refuses_delete",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS signed_review_refuses_update ON reading_review",
        "DROP TRIGGER IF EXISTS signed_review_refuses_delete ON reading_review",
        "DROP FUNCTION IF EXISTS signed_review_refuses_change()",
    ],
}


def _run(statements: dict[str, list[str]], connection: Any) -> None:
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
    dependencies = [("reading", "0003_signed_reads")]

    operations = [migrations.RunPython(install, remove)]
