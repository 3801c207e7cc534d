"""What lists of films are found by stands beside the film, kept by triggers on SQLite and PostgreSQL.

On SQLite a later migration that alters the table of predictions makes it anew and loses the triggers: such a
migration ends with `remove` and `install` of this one.
"""

from typing import Any

from django.db import migrations, models

# Column: its type in SQLite, in PostgreSQL, and its default. Added by hand, since Django would make a table of
# a million films anew for each of them.
COLUMNS = {
    "result_status": ("varchar(9)", "varchar(9)", "''"),
    "result_outcome": ("varchar(9)", "varchar(9)", "''"),
    "result_score": ("real", "double precision", "-1.0"),
    "is_reviewed": ("bool", "boolean", "false"),
    "reads_signed": ("smallint", "smallint", "0"),
    "reads_differ": ("bool", "boolean", "false"),
    "wants_reads": ("bool", "boolean", "true"),
}
_NEWEST = "FROM diagnosis_prediction WHERE study_id = {film} ORDER BY id DESC LIMIT 1"
_KEEP = f"""
    UPDATE diagnosis_study SET
        result_status = COALESCE((SELECT status {_NEWEST}), ''),
        result_outcome = COALESCE((SELECT outcome {_NEWEST}), ''),
        result_score = COALESCE((SELECT calibrated_probability {_NEWEST}), -1.0)
    WHERE id = {{film}}
"""
_OF_NEW, _OF_OLD = _KEEP.format(film="NEW.study_id"), _KEEP.format(film="OLD.study_id")
_CHANGED = "UPDATE OF status, outcome, calibrated_probability"
INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER result_kept_insert AFTER INSERT ON diagnosis_prediction BEGIN {_OF_NEW}; END",
        f"CREATE TRIGGER result_kept_update AFTER {_CHANGED} ON diagnosis_prediction BEGIN {_OF_NEW}; END",
        f"CREATE TRIGGER result_kept_delete AFTER DELETE ON diagnosis_prediction BEGIN {_OF_OLD}; END",
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION result_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN {_OF_OLD}; ELSE {_OF_NEW}; END IF;
            RETURN NULL;
        END
        $$
        """,
        f"""
        CREATE TRIGGER result_kept AFTER INSERT OR DELETE OR {_CHANGED} ON diagnosis_prediction
        FOR EACH ROW EXECUTE FUNCTION result_kept()
        """,
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS result_kept_{what}" for what in ("insert", "update", "delete")],
    "postgresql": [
        "DROP TRIGGER IF EXISTS result_kept ON diagnosis_prediction",
        "DROP FUNCTION IF EXISTS result_kept()",
    ],
}


def _run(statements: dict[str, list[str]], connection: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)


def add_columns(apps: Any, schema_editor: Any) -> None:
    """Add the columns with their defaults."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    with schema_editor.connection.cursor() as cursor:
        for name, (in_sqlite, elsewhere, default) in COLUMNS.items():
            kind = in_sqlite if is_sqlite else elsewhere
            cursor.execute(f"ALTER TABLE diagnosis_study ADD COLUMN {name} {kind} NOT NULL DEFAULT {default}")


def drop_columns(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    with schema_editor.connection.cursor() as cursor:
        for name in COLUMNS:
            cursor.execute(f"ALTER TABLE diagnosis_study DROP COLUMN {name}")


def install(apps: Any, schema_editor: Any) -> None:
    """Set the triggers, and the columns of all films that are there."""
    _run(INSTALL, schema_editor.connection)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_KEEP.format(film="diagnosis_study.id"))


def remove(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away."""
    _run(REMOVE, schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0013_prediction_precision")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_columns, drop_columns)],
            state_operations=[
                migrations.AddField(
                    model_name='study',
                    name='is_reviewed',
                    field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Whether it has any review, drafts too.'),
                ),
                migrations.AddField(
                    model_name='study',
                    name='reads_differ',
                    field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Whether signed reads name different findings; “not readable” is none.'),
                ),
                migrations.AddField(
                    model_name='study',
                    name='result_outcome',
                    field=models.CharField(db_default='', default='', editable=False, max_length=9),
                ),
                migrations.AddField(
                    model_name='study',
                    name='result_score',
                    field=models.FloatField(db_default=-1.0, default=-1.0, editable=False, help_text='The calibrated probability, 0 to 1; −1 without one.'),
                ),
                migrations.AddField(
                    model_name='study',
                    name='result_status',
                    field=models.CharField(db_default='', default='', editable=False, max_length=9),
                ),
                migrations.AddField(
                    model_name='study',
                    name='reads_signed',
                    field=models.SmallIntegerField(db_default=0, default=0, editable=False, help_text='Signed reads, without addenda.'),
                ),
                migrations.AddField(
                    model_name='study',
                    name='wants_reads',
                    field=models.BooleanField(db_default=True, default=True, editable=False, help_text="Whether its project's rules ask for further reads, or somebody has begun one."),
                ),
            ],
        ),
        migrations.RunPython(install, remove),
    ]
