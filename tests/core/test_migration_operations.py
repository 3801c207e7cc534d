"""A table that a migration makes append-only refuses changes, on SQLite and on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environ
import pytest
from django.db import IntegrityError
from django.db.utils import ConnectionHandler

from core.migration_operations import AppendOnly

MESSAGE = "100 % of what's here stays."


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[Any]:
    """A database of the test's own with one empty table."""
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("own_postgres_url")
    handler = ConnectionHandler({"default": environ.Env.db_url_config(url)})
    connection = handler["default"]
    with django_db_blocker.unblock():
        execute(connection, "CREATE TABLE diary (id integer PRIMARY KEY, words text, signed_at text)")
        yield connection
        connection.close()


def execute(connection: Any, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def migrate(connection: Any, operation: AppendOnly, *, back: bool = False) -> None:
    with connection.schema_editor() as editor:
        run = operation.database_backwards if back else operation.database_forwards
        run("core", editor, None, None)


def is_refused(connection: Any, statement: str) -> bool:
    try:
        execute(connection, statement)
    except IntegrityError as error:
        return MESSAGE in str(error)
    return False


def test_rows_are_added_but_neither_changed_nor_deleted_until_the_migration_goes_back(
    connection: Any,
) -> None:
    operation = AppendOnly(table="diary", name="diary", message=MESSAGE)
    migrate(connection, operation)
    execute(connection, "INSERT INTO diary VALUES (1, 'first', NULL)")
    assert is_refused(connection, "UPDATE diary SET words = 'other'")
    assert is_refused(connection, "DELETE FROM diary")
    if connection.vendor == "postgresql":
        assert is_refused(connection, "TRUNCATE diary")
    migrate(connection, operation, back=True)
    execute(connection, "UPDATE diary SET words = 'other'", "DELETE FROM diary")


def test_columns_and_a_condition_narrow_what_is_guarded(connection: Any) -> None:
    operation = AppendOnly(
        table="diary", name="diary", message=MESSAGE, columns=["words"], when="OLD.signed_at IS NOT NULL"
    )
    migrate(connection, operation)
    execute(connection, "INSERT INTO diary VALUES (1, 'draft', NULL), (2, 'final', 'today')")
    execute(connection, "UPDATE diary SET words = 'changed' WHERE id = 1", "DELETE FROM diary WHERE id = 1")
    execute(connection, "UPDATE diary SET signed_at = 'yesterday' WHERE id = 2")
    assert is_refused(connection, "UPDATE diary SET words = 'changed' WHERE id = 2")
    assert is_refused(connection, "DELETE FROM diary WHERE id = 2")
    migrate(connection, operation, back=True)
    execute(connection, "DELETE FROM diary")


def test_guarded_by_row_a_statement_that_reaches_none_passes(connection: Any) -> None:
    migrate(connection, AppendOnly(table="diary", name="diary", message=MESSAGE, each_row=True))
    execute(connection, "DELETE FROM diary", "INSERT INTO diary VALUES (1, 'first', NULL)")
    assert is_refused(connection, "DELETE FROM diary")
