"""The database schema at the migrations that a backup was made with, and its models at that state."""

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from operations.backup.manifest import BackupRefused

Key = tuple[str, str]


def installed_migrations() -> list[str]:
    """Return the names of all migrations that this version of the software has, as “app.name”."""
    return sorted(".".join(key) for key in MigrationLoader(connection).disk_migrations or {})


def prepare_schema(migrations: list[str]) -> Apps:
    """Bring the empty database to exactly these migrations; return the models as they were then.

    A database at other migrations loses its tables first: not every migration can be undone.
    Raises BackupRefused (`other_version`), and changes nothing, where this software lacks one of them.
    """
    executor = MigrationExecutor(connection)
    wanted = _known(executor.loader, migrations)
    leaves = _leaves(executor.loader, wanted)
    apps: Apps = executor.loader.project_state(leaves).apps
    if not set(executor.loader.applied_migrations) <= wanted:
        drop_tables(apps)
        executor = MigrationExecutor(connection)
    executor.migrate(leaves)
    return apps


def _known(loader: MigrationLoader, migrations: list[str]) -> set[Key]:
    wanted = {(app, name) for app, _dot, name in (each.partition(".") for each in migrations)}
    unknown = sorted(wanted - set(loader.graph.nodes))
    if unknown:
        raise BackupRefused(
            "other_version",
            "This backup was made by another version of pneumoweb, with changes to the database that this "
            f"version does not know (the first: {'.'.join(unknown[0])}). Restore it with that version or a "
            "later one.",
        )
    return wanted


def _leaves(loader: MigrationLoader, wanted: set[Key]) -> list[Key]:
    """Return each app's last migrations among those wanted; what they depend on must be wanted too."""
    graph = loader.graph
    needed = {key for each in wanted for key in graph.forwards_plan(each)}
    if needed != wanted:
        raise BackupRefused(
            "other_version",
            "This backup was made by another version of pneumoweb, which changed the database in another "
            f"order (without {'.'.join(min(needed - wanted))}). Restore it with that version.",
        )
    return sorted(
        key
        for key in wanted
        if not any(child.key in wanted and child.key[0] == key[0] for child in graph.node_map[key].children)
    )


def drop_tables(*states: Apps) -> None:
    """Drop every table of the models in these states and of today's, and what triggers call."""
    with connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
    names = set(connection.introspection.django_table_names())
    names |= {model._meta.db_table for apps in states for model in stored_models(apps, automatic=True)}
    tables = sorted(existing & {*names, MigrationRecorder.Migration._meta.db_table})
    functions = _functions_of_triggers(tables)
    with connection.schema_editor() as editor:
        for table in tables:
            editor.execute(editor.sql_delete_table % {"table": editor.quote_name(table)})
        for function in functions:
            editor.execute(f"DROP FUNCTION {function}")


def _functions_of_triggers(tables: list[str]) -> list[str]:
    """Return what PostgreSQL keeps when it drops a table with triggers; migrations would make it again."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger"
            " JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relname = ANY(%s) AND relnamespace = current_schema()::regnamespace",
            [tables],
        )
        return [name for (name,) in cursor.fetchall()]


def stored_models(apps: Apps, *, automatic: bool = False) -> list[type[models.Model]]:
    """Return the models that have tables; with `automatic` the many-to-many tables too."""
    every = apps.get_models(include_auto_created=automatic)
    return [model for model in every if model._meta.managed and not model._meta.proxy]


def reset_sequences(apps: Apps) -> None:
    """Let new rows get numbers after those that are there."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), stored_models(apps)):
            cursor.execute(statement)
