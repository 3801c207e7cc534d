"""Shipped statistics for SQLite's query planner, so that it chooses the right index for long lists.

Without the row counts of ANALYZE, lists of a million films take seconds. ANALYZE blocks writers while it
counts, and counts of a sample mislead the planner. So every SQLite database gets the counts of a large
installation, taken by `benchmarks.scaling.statistics`; they make small ones no slower. The method is that of
https://sqlite.org/queryplanner-ng.html. PostgreSQL collects statistics without help.
"""

import json
from pathlib import Path
from typing import Any

from django.db import transaction

STATISTICS = Path(__file__).with_name("sqlite_statistics.json")


def shipped_statistics() -> set[tuple[str, str, str]]:
    """Return (table, index, counts): rows, then rows for each value of the index's first columns."""
    tables: dict[str, dict[str, str]] = json.loads(STATISTICS.read_text())
    return {(table, index, counts) for table, found in tables.items() for index, counts in found.items()}


def write_statistics(connection: Any) -> bool:
    """Write the shipped counts into an SQLite database; return whether it held others."""
    if connection.vendor != "sqlite":
        return False
    wanted = shipped_statistics()
    with connection.cursor() as cursor:
        if "sqlite_stat1" in connection.introspection.table_names(cursor):
            cursor.execute("SELECT tbl, idx, stat FROM sqlite_stat1")
            if set(cursor.fetchall()) == wanted:
                return False
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_schema")  # only ANALYZE may create the table
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", sorted(wanted))
        cursor.execute("ANALYZE sqlite_schema")  # reloads them here; others read them at connecting
    return True
