"""Benchmarks can be started as their own text says."""

import subprocess
import sys

import pytest

from tests.support.sources import ROOT

SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_says_the_command_that_starts_it(name: str) -> None:
    assert f".venv/bin/python -m benchmarks.{name} " in (ROOT / "benchmarks" / f"{name}.py").read_text(
        "utf-8"
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_tells_its_options(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert "usage:" in told.stdout
