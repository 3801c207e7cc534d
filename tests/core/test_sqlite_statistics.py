"""What SQLite is told of its tables: at each start, of every index that lists are found by."""

import pytest
from django.core.management import call_command
from django.db import connection

from core.sqlite_statistics import shipped_statistics, write_statistics
from tests.operations.commands.test_setup_site import site

__all__ = ["site"]  # the fixture

pytestmark = pytest.mark.django_db

LARGE = ("diagnosis_study", "diagnosis_prediction", "diagnosis_auditevent", "reading_review")
# Partial indexes of what was not there when the counts were taken; SQLite takes them for narrow ones.
EMPTY = {"study_site_newest", "study_trash", "review_draft"}


def told() -> set[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl, idx, stat FROM sqlite_stat1")
        return set(cursor.fetchall())


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """A database that was told something else, as after somebody's ANALYZE."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts by itself")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_schema")
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("INSERT INTO sqlite_stat1 VALUES ('diagnosis_study', 'study_newest', '3 1 1')")


@pytest.mark.usefixtures("site")
def test_a_start_tells_of_a_large_installation() -> None:
    call_command("setup_site")
    assert told() == shipped_statistics()


def test_what_is_told_already_is_not_written_again() -> None:
    assert write_statistics(connection)
    assert not write_statistics(connection)


def test_every_index_of_the_large_tables_is_counted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'")
        there = {(table, name) for table, name in cursor.fetchall() if table in LARGE}
    counted = {(table, index) for table, index, _counts in shipped_statistics()}
    assert {name for _table, name in there - counted} == EMPTY


def test_no_index_is_counted_that_is_not_there() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'")
        there = set(cursor.fetchall())
    assert {(table, index) for table, index, _counts in shipped_statistics()} <= there
