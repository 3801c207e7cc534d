"""An upload killed at any step leaves no row without its film and no film without its row."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.servers.stack import ROOT, Stack


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.nightly)])
def test_an_upload_killed_before_any_of_its_steps_leaves_nothing_half_stored(
    tmp_path: Path, record_property: Callable[..., None], every: int
) -> None:
    settings = {
        "CELERY_BROKER_URL": "memory://",
        "DJANGO_SETTINGS_MODULE": "tests.reliability.helpers.light_settings",
        "THROTTLE_UPLOAD": "10000/min",
    }
    stack = Stack(tmp_path / "var", settings=settings)
    stack.manage("migrate", "--verbosity", "0")
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability.helpers.fail_points", str(every)],
        cwd=ROOT,
        env=stack.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout)
    record_property("steps", len(report["steps"]))
    assert report["faults"] == {}
    assert len(report["steps"]) // every >= 10
    # The steps that matter were among them, in this order.
    in_order = [
        "mkdir",
        'INSERT INTO "diagnosis_study"',
        'INSERT INTO "diagnosis_auditevent"',
        "rmdir",
        "send",
    ]
    assert [name for name in dict.fromkeys(report["steps"]) if name in in_order] == in_order
