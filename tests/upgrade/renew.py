"""Writes the stored answers anew, for an intended change of what people and programs see.

.venv/bin/python -m tests.upgrade.renew            all of them; then read what `git diff` says
.venv/bin/python -m tests.upgrade.renew pages api  some parts
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.upgrade.installation import stored_on_sqlite

ANSWERS = Path(__file__).resolve().parent / "answers"
PARTS = ("itself", "pages", "api", "reader", "administration")


def collect(*parts: str, scratch: Path, into: Path) -> int:
    """Collect the answers of the stored installation, migrated; return their number."""
    return int(stored_on_sqlite(scratch / "var").look("collect", str(into), *parts))


def renew(*parts: str) -> int:
    """Replace the stored answers of these parts; return their number."""
    for part in parts:
        shutil.rmtree(ANSWERS / part, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        return collect(*parts, scratch=Path(scratch), into=ANSWERS)


if __name__ == "__main__":
    print(f"{renew(*(sys.argv[1:] or PARTS))} answers")  # noqa: T201
