"""The examples of docs/api.md, run as they stand with curl against a live server."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Prediction, Project
from tests.support.inputs.films import chest_png

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "=== end of an example ==="
ANYTHING = "…"
PASSWORD = "correct horse battery"


def examples() -> list[tuple[str, Any]]:
    """Return each command with the JSON shown right after it, or None."""
    found: list[tuple[str, Any]] = []
    for language, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "sh":
            found.append((text, None))
        else:
            found[-1] = (found[-1][0], json.loads(text))
    return found


@pytest.fixture
def served(live_server: LiveServer, active_model: ModelVersion, tmp_path: Path) -> dict[str, str]:
    """A server with one administrator, two films on their disk, and a result for the first film."""
    person = User.objects.create_superuser("admin", password=PASSWORD)
    (tmp_path / "film.png").write_bytes(chest_png())
    (tmp_path / "another.png").write_bytes(chest_png(seed=1))
    general = Project.objects.get(slug="general")
    study = submit_study(actor=person, project=general, data=chest_png()).study
    Prediction.objects.filter(study=study).update(
        status="succeeded",
        logit=1.5,
        probability=0.82,
        calibrated_probability=0.78,
        outcome="pneumonia",
        layer="block5_conv3",
        cam=[[0.1 * (row + column) for column in range(14)] for row in range(14)],
        cam_strength=2.6,
    )
    return {**os.environ, "SERVER": live_server.url, "USERNAME": "admin", "PASSWORD": PASSWORD}


def run(served: dict[str, str], folder: Path) -> list[str]:
    """Run all commands in one shell, so that variables carry on; return what each of them wrote."""
    script = "".join(f"{command}\necho '{END}'\n" for command, _ in examples())
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        env=served,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    outputs = done.stdout.split(END)
    assert done.returncode == 0, f"example {len(outputs)} failed: {outputs[-1]} {done.stderr}"
    return outputs[:-1]


def differences(shown: Any, given: Any, where: str = "") -> list[str]:
    """Compare members, not values; … stands for anything, and as a member for any further members."""
    if ANYTHING in (shown, given) or shown is None or given is None:
        return []
    if isinstance(shown, dict) and isinstance(given, dict):
        missing = set(shown) - set(given) - {ANYTHING}
        extra = set() if ANYTHING in shown else set(given) - set(shown)
        faults = (
            [f"{where}: {sorted(missing)} not given, {sorted(extra)} not shown"] if missing or extra else []
        )
        for name in set(shown) & set(given):
            faults += differences(shown[name], given[name], f"{where}.{name}")
        return faults
    if isinstance(shown, list) and isinstance(given, list):
        if bool(shown) != bool(given):
            return [f"{where}: one is empty"]
        return differences(shown[0], given[0], f"{where}[0]") if shown else []
    numbers = isinstance(shown, (int, float)) and isinstance(given, (int, float))
    return [] if numbers or type(shown) is type(given) else [f"{where}: shown {shown!r}, given {given!r}"]


def test_every_example_works_and_answers_as_shown(served: dict[str, str], tmp_path: Path) -> None:
    assert shutil.which("curl"), "The examples need curl: apt-get install curl"
    outputs = run(served, tmp_path)
    for (command, shown), output in zip(examples(), outputs, strict=True):
        if shown is not None:
            assert differences(shown, json.loads(output)) == [], command


def test_downloaded_pictures_are_pictures(served: dict[str, str], tmp_path: Path) -> None:
    run(served, tmp_path)
    for name in ("overlay.png", "side-by-side.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG"), name


def test_the_guide_carries_the_disclaimer(settings: Any) -> None:
    assert settings.DISCLAIMER in GUIDE.read_text(encoding="utf-8")
