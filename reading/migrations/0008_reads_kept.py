"""Triggers that keep beside each film how far its reading is, on SQLite and PostgreSQL.

On SQLite a later migration that alters the table of reviews or of reading settings makes it anew and loses the
triggers: such a migration ends with `remove` and `install` of this one.
"""

from typing import Any

from django.db import migrations

_READS = "FROM reading_review WHERE study_id = {film} AND signed_at IS NOT NULL AND addendum_to_id IS NULL"
_WANTED = (
    "COALESCE((SELECT reads_per_film FROM reading_readingsettings "
    "WHERE project_id = diagnosis_study.project_id), 0)"
)
_BEGUN = "EXISTS (SELECT 1 FROM reading_review WHERE study_id = {film} AND is_current AND signed_at IS NULL)"
_KEEP = f"""
    UPDATE diagnosis_study SET
        is_reviewed = EXISTS (SELECT 1 FROM reading_review WHERE study_id = {{film}} AND is_current),
        reads_signed = (SELECT COUNT(*) {_READS}),
        reads_differ = (SELECT COUNT(DISTINCT finding) > 1 {_READS} AND finding <> 'not_readable'),
        wants_reads = ({_WANTED} = 0 OR (SELECT COUNT(*) {_READS}) < {_WANTED} OR {_BEGUN})
    WHERE id = {{film}}
"""
_OF_NEW, _OF_OLD = _KEEP.format(film="NEW.study_id"), _KEEP.format(film="OLD.study_id")
_BY_RULES = f"""
    UPDATE diagnosis_study SET wants_reads = NOT wants_reads
    WHERE project_id = {{row}}.project_id AND wants_reads
        <> ({{wanted}} = 0 OR reads_signed < {{wanted}} OR {_BEGUN.format(film="diagnosis_study.id")})
"""
_NEW_RULES = _BY_RULES.format(row="NEW", wanted="NEW.reads_per_film")
_NO_RULES = _BY_RULES.format(row="OLD", wanted="0")
_SIGNED, _SET = "UPDATE OF signed_at, is_current", "UPDATE OF reads_per_film"
INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER reads_kept_insert AFTER INSERT ON reading_review BEGIN {_OF_NEW}; END",
        f"CREATE TRIGGER reads_kept_update AFTER {_SIGNED} ON reading_review BEGIN {_OF_NEW}; END",
        f"CREATE TRIGGER reads_kept_delete AFTER DELETE ON reading_review BEGIN {_OF_OLD}; END",
        f"CREATE TRIGGER rules_kept_insert AFTER INSERT ON reading_readingsettings BEGIN {_NEW_RULES}; END",
        f"CREATE TRIGGER rules_kept_update AFTER {_SET} ON reading_readingsettings BEGIN {_NEW_RULES}; END",
        f"CREATE TRIGGER rules_kept_delete AFTER DELETE ON reading_readingsettings BEGIN {_NO_RULES}; END",
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION reads_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN {_OF_OLD}; ELSE {_OF_NEW}; END IF;
            RETURN NULL;
        END
        $$
        """,
        f"""
        CREATE FUNCTION rules_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN {_NO_RULES}; ELSE {_NEW_RULES}; END IF;
            RETURN NULL;
        END
        $$
        """,
        f"""
        CREATE TRIGGER reads_kept AFTER INSERT OR DELETE OR {_SIGNED} ON reading_review
        FOR EACH ROW EXECUTE FUNCTION reads_kept()
        """,
        f"""
        CREATE TRIGGER rules_kept AFTER INSERT OR DELETE OR {_SET} ON reading_readingsettings
        FOR EACH ROW EXECUTE FUNCTION rules_kept()
        """,
    ],
}
REMOVE = {
    "sqlite": [
        f"DROP TRIGGER IF EXISTS {kind}_kept_{what}"
        for kind in ("reads", "rules")
        for what in ("insert", "update", "delete")
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS reads_kept ON reading_review",
        "DROP TRIGGER IF EXISTS rules_kept ON reading_readingsettings",
        "DROP FUNCTION IF EXISTS reads_kept()",
        "DROP FUNCTION IF EXISTS rules_kept()",
    ],
}
_WITH_REVIEWS = " AND id IN (SELECT study_id FROM reading_review)"


def _run(statements: dict[str, list[str]], connection: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)


def install(apps: Any, schema_editor: Any) -> None:
    """Set the triggers, and the columns of all films that have reviews."""
    _run(INSTALL, schema_editor.connection)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_KEEP.format(film="diagnosis_study.id") + _WITH_REVIEWS)


def remove(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away."""
    _run(REMOVE, schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("reading", "0007_marks_and_views"), ("diagnosis", "0014_lists_of_a_million")]

    operations = [migrations.RunPython(install, remove)]
