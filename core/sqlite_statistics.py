"""What SQLite is told of its tables, so that it finds long lists by the right index.

SQLite plans without knowing how many rows a table has, unless ANALYZE has counted them: with a million films
lists then take seconds. Counting holds everybody up who writes, and a sample of some rows misleads it. So the
counts of a large installation are shipped (taken by `benchmarks.scaling.statistics`) and stand in every SQLite
file: what is right for a million films costs a hundred nothing. https://sqlite.org/queryplanner-ng.html names
the method. PostgreSQL counts by itself.
"""

import json
from pathlib import Path
from typing import Any

from django.db import transaction

STATISTICS = Path(__file__).with_name("sqlite_statistics.json")


def shipped_statistics() -> set[tuple[str, str, str]]:
    """Return table, index and counts: rows, and how many of them share the index's first columns each."""
    tables: dict[str, dict[str, str]] = json.loads(STATISTICS.read_text())
    return {(table, index, counts) for table, found in tables.items() for index, counts in found.items()}


def tell_planner(connection: Any) -> bool:
    """Put the shipped counts into an SQLite database; return whether others stood there."""
    if connection.vendor != "sqlite":
        return False
    wanted = shipped_statistics()
    with connection.cursor() as cursor:
        if "sqlite_stat1" in connection.introspection.table_names(cursor):
            cursor.execute("SELECT tbl, idx, stat FROM sqlite_stat1")
            if set(cursor.fetchall()) == wanted:
                return False
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_schema")  # makes the table; nobody else may
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", sorted(wanted))
        cursor.execute("ANALYZE sqlite_schema")  # this connection takes note; others do when they are opened
    return True
