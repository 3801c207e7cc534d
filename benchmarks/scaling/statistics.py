"""Take from a filled database the statistics of a large installation for core/sqlite_statistics.py.

.venv/bin/python -m benchmarks.scaling.statistics PATH/db.sqlite3     # a million films of benchmarks.million
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections import defaultdict
from pathlib import Path

from core.sqlite_statistics import STATISTICS

OF_OURS = ("diagnosis_", "reading_", "insight_", "auth_user")


def main() -> None:
    """Count every index and write the counts down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("database", type=Path)
    database = sqlite3.connect(parser.parse_args().database)
    database.execute("ANALYZE")
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, index, counts in database.execute("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx"):
        if index and table.startswith(OF_OURS):
            found[table][index] = counts
    STATISTICS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({"tables": len(found), "written": STATISTICS.name}))


if __name__ == "__main__":
    main()
