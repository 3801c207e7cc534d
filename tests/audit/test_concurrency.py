"""Twenty writers at once, on a real SQLite file and on a real PostgreSQL server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.many_writers import EVENTS_EACH, WRITERS

ROOT = Path(__file__).resolve().parents[2]


def run(database_url: str, var: Path, *words: str) -> str:
    """Run Python on the given database in a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PNEUMOWEB_ENV_FILE": os.devnull,
        "PNEUMOWEB_VAR": str(var),
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "pneumoweb.settings",
        "CELERY_BROKER_URL": "memory://",
    }
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_trail_lease_and_triggers_stand_twenty_writers_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    url = (
        f"sqlite:///{tmp_path}/db.sqlite3"
        if database == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    run(url, tmp_path / "var", "manage.py", "migrate", "--verbosity", "0")
    told = json.loads(run(url, tmp_path / "var", "-m", "tests.audit.many_writers"))
    assert told == {
        "whole": True,
        "events": WRITERS * EVENTS_EACH + 1,  # and one for the finished prediction
        "claims": 1,
        "finished": 1,
        "status": "succeeded",
        "update_refused": True,
        "delete_refused": True,
        "truncate_refused": True,
        "whole_afterwards": True,
    }


def test_the_triggers_come_and_go_with_their_migration_on_postgresql(
    postgres_url: str, tmp_path: Path
) -> None:
    for target in (["diagnosis", "0002"], []):
        run(postgres_url, tmp_path / "var", "manage.py", "migrate", "--verbosity", "0", *target)
