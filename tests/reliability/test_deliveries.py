"""One task delivered fifty times gives one result, and a worker that finishes too late changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.helpers.fifty_deliveries import DELIVERIES
from tests.support.servers.stack import ROOT, Stack


@pytest.mark.tensorflow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_one_task_delivered_fifty_times_at_once_gives_one_result(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    settings = {"CELERY_BROKER_URL": "memory://", "DJANGO_SETTINGS_MODULE": "pneumoweb.settings"}
    if database == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("own_postgres_url")
    stack = Stack(tmp_path / "var", settings=settings)
    stack.manage("migrate", "--verbosity", "0")
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability.helpers.fifty_deliveries"],
        cwd=ROOT,
        env=stack.env | {"TF_CPP_MIN_LOG_LEVEL": "3", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert json.loads(done.stdout) == {
        "status": "succeeded",
        "attempts": 1,
        "results": 1,
        "late_refused": 2 * DELIVERIES,
        "successor_written": True,
        "kept": 0.9,
    }
