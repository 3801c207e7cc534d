"""The machine's arithmetic is tried once, in a process of its own, and remembered."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pneumoml.cards.artifact import Artifact
from pneumoml.explain.gradcam import DEFAULT_LAYER
from pneumoml.network import precision_benchmark
from pneumoml.network.precision import BFLOAT16, FLOAT32, PRECISIONS
from pneumoml.network.precision_benchmark import best_precision

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def version(random_artifact: Any) -> Artifact:
    assert isinstance(random_artifact, Artifact)
    return random_artifact


@pytest.fixture
def bfloat16_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process believes that the CPU has it; a process of its own looks for itself."""
    monkeypatch.setattr(precision_benchmark, "cpu_flags", lambda: frozenset({"avx512_bf16"}))


@pytest.mark.usefixtures("bfloat16_cpu")
def test_the_outcome_of_a_benchmark_is_remembered_for_this_version_and_layer(
    version: Artifact, tmp_path: Path
) -> None:
    notes = tmp_path / "precision.json"
    found = best_precision(version, layer=DEFAULT_LAYER, notes=notes)
    assert found in PRECISIONS
    assert list(json.loads(notes.read_text()).values()) == [found]
    gone = replace(version, folder=tmp_path / "gone")  # a second benchmark would fail here
    notes.write_text(notes.read_text().replace(found, BFLOAT16))
    assert best_precision(gone, layer=DEFAULT_LAYER, notes=notes) == BFLOAT16
    assert best_precision(gone, layer="block4_conv3", notes=notes) == FLOAT32
    assert len(json.loads(notes.read_text())) == 2


@pytest.mark.usefixtures("bfloat16_cpu")
@pytest.mark.parametrize("left", [None, "", "[1]", '{"x": 1', "\u00e9"])
def test_a_benchmark_that_fails_gives_float32_and_delays_one_start_only(
    version: Artifact, tmp_path: Path, left: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    notes = tmp_path / "precision.json"
    if left is not None:
        notes.write_text(left, "utf-8")
    gone = replace(version, folder=tmp_path / "gone")
    assert best_precision(gone, layer=DEFAULT_LAYER, notes=notes) == FLOAT32
    assert "could not be compared" in caplog.text
    assert list(json.loads(notes.read_text()).values()) == [FLOAT32]
    caplog.clear()
    assert best_precision(gone, layer=DEFAULT_LAYER, notes=notes) == FLOAT32
    assert not caplog.text


@pytest.mark.usefixtures("bfloat16_cpu")
def test_workers_that_start_together_share_one_benchmark(
    version: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, trials = threading.Barrier(2), []

    def tried(*_: object) -> str:
        trials.append(1)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=1)  # only two trials at once come past here before
        return BFLOAT16

    monkeypatch.setattr(precision_benchmark, "_measured", tried)
    ask = partial(best_precision, version, layer=DEFAULT_LAYER, notes=tmp_path / "precision.json")
    with ThreadPoolExecutor(2) as workers:
        asked = [workers.submit(ask) for _worker in range(2)]
    assert [one.result() for one in asked] == [BFLOAT16, BFLOAT16]
    assert len(trials) == 1


def test_a_cpu_without_bfloat16_needs_no_benchmark(
    version: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_benchmark, "cpu_flags", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(precision_benchmark, "_measured", lambda *_: pytest.fail("A benchmark was run."))
    assert best_precision(version, layer=DEFAULT_LAYER, notes=tmp_path / "precision.json") == FLOAT32
