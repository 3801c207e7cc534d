"""Sums by day, and triggers that tell of which days something has changed, on SQLite and PostgreSQL.

On SQLite a later migration that alters the table of studies makes it anew and loses the triggers: such a
migration ends with `remove` and `install` of this one.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

_COLUMNS = "project_id, site_id, created_at, deleted_at, result_status, result_outcome, result_score, is_reviewed, reads_signed"
_HOUR = {
    "sqlite": "strftime('%Y-%m-%d %H:00:00', {row}.created_at)",
    "postgresql": "date_trunc('hour', {row}.created_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'",
}
# SQLite writes one transaction after the other, so that one mark of an hour is enough there.
_MARK = {
    "sqlite": f"""
        INSERT INTO insight_changedhour (project_id, hour) SELECT {{row}}.project_id, {_HOUR["sqlite"]}
        WHERE NOT EXISTS (
            SELECT 1 FROM insight_changedhour
            WHERE project_id = {{row}}.project_id AND hour = {_HOUR["sqlite"]}
        )
    """,
    "postgresql": f"""
        INSERT INTO insight_changedhour (project_id, hour) VALUES ({{row}}.project_id, {_HOUR["postgresql"]})
    """,
}


def _marks(vendor: str, *rows: str) -> str:
    return "; ".join(_MARK[vendor].format(row=row) for row in rows)


INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER day_changed_insert AFTER INSERT ON diagnosis_study BEGIN {_marks('sqlite', 'NEW')}; END",
        f"""
        CREATE TRIGGER day_changed_update AFTER UPDATE OF {_COLUMNS} ON diagnosis_study
        BEGIN {_marks('sqlite', 'NEW', 'OLD')}; END
        """,
        f"CREATE TRIGGER day_changed_delete AFTER DELETE ON diagnosis_study BEGIN {_marks('sqlite', 'OLD')}; END",
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION day_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN {_marks('postgresql', 'OLD')}; END IF;
            IF TG_OP = 'INSERT' THEN {_marks('postgresql', 'NEW')}; END IF;
            IF TG_OP = 'UPDATE' AND (NEW.project_id, NEW.created_at) <> (OLD.project_id, OLD.created_at) THEN
                {_marks('postgresql', 'NEW')};
            END IF;
            RETURN NULL;
        END
        $$
        """,
        f"""
        CREATE TRIGGER day_changed AFTER INSERT OR DELETE OR UPDATE OF {_COLUMNS} ON diagnosis_study
        FOR EACH ROW EXECUTE FUNCTION day_changed()
        """,
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS day_changed_{what}" for what in ("insert", "update", "delete")],
    "postgresql": [
        "DROP TRIGGER IF EXISTS day_changed ON diagnosis_study",
        "DROP FUNCTION IF EXISTS day_changed()",
    ],
}


def _run(statements: dict[str, list[str]], connection: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)


def install(apps: Any, schema_editor: Any) -> None:
    """Set the triggers, and say of every hour with films that its day is still to be written down."""
    connection = schema_editor.connection
    _run(INSTALL, connection)
    hour = _HOUR[connection.vendor].format(row="diagnosis_study")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO insight_changedhour (project_id, hour) SELECT DISTINCT project_id, {hour} FROM diagnosis_study"
        )


def remove(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away."""
    _run(REMOVE, schema_editor.connection)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('diagnosis', '0015_indexes_of_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangedHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('project', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='diagnosis.project')),
            ],
            options={
                'indexes': [models.Index(fields=['hour', 'project'], name='changed_hour')],
            },
        ),
        migrations.CreateModel(
            name='DayFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('films', models.PositiveIntegerField()),
                ('ready', models.PositiveIntegerField(help_text='Films whose newest reading by the AI has succeeded.')),
                ('waiting', models.PositiveIntegerField()),
                ('failed', models.PositiveIntegerField()),
                ('reviewed', models.PositiveIntegerField(help_text='Films with any review, a draft too.')),
                ('signed', models.PositiveIntegerField(help_text='Films with a signed read.')),
                ('waits', models.JSONField(help_text='Seconds from queue to result, of each result: bucket and number.')),
                ('to_result', models.JSONField(help_text='Seconds from upload to the first result of each film.')),
                ('to_signature', models.JSONField(help_text='Seconds from upload to the first signed read of each film.')),
                ('scores', models.JSONField(help_text='Of each model version: ten bins of the calibrated probability.')),
                ('sites', models.JSONField(help_text='Of each site (0: none): films, and how many are ready, waiting, failed.')),
                ('readers', models.JSONField(help_text='Of each reader: number of films signed.')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='diagnosis.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'day'), name='one_row_per_day')],
            },
        ),
        migrations.RunPython(install, remove),
    ]
