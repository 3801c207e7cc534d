"""Benchmark of the arithmetics on this machine: run once, in a process of its own, and remembered.

Of its own, because it loads the network once for each arithmetic, and a process that has done so keeps
half a gigabyte more than one that loads only what was chosen.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pneumoml.network.precision import FLOAT32, choose, cpu_flags, offered

if TYPE_CHECKING:
    from pneumoml.cards.artifact import Artifact

logger = logging.getLogger(__name__)

# With the loading that follows well within what a task may take.
_BENCHMARK_SECONDS = 60
_ROOT = Path(__file__).resolve().parents[2]


def best_precision(artifact: Artifact, *, layer: str, notes: Path | None = None) -> str:
    """Return the arithmetic to load `artifact` in, one of `precision.PRECISIONS`.

    The JSON file `notes` remembers it for this CPU, TensorFlow, version and layer; without it, or where it
    cannot be written, every call measures anew. A benchmark that fails or takes too long gives float32, and
    that is remembered too: it would delay every start.
    """
    flags = cpu_flags()
    names = offered(flags)
    if len(names) == 1:
        return names[0]
    key = _key(artifact, layer, flags)
    if (found := _noted(notes).get(key)) in names:
        return found
    with _alone(notes):
        remembered = _noted(notes)
        if (found := remembered.get(key)) in names:  # another worker of this machine has just measured
            return found
        found = _measured(artifact.folder, layer)
        if notes is not None:
            _note(notes, remembered | {key: found})
    return found


@contextlib.contextmanager
def _alone(notes: Path | None) -> Iterator[None]:
    """Let one worker of a machine measure at a time: two at once would measure each other."""
    if notes is None:
        yield
        return
    with contextlib.ExitStack() as opened:
        try:
            lock = opened.enter_context(notes.with_name(f"{notes.name}.lock").open("a"))
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed, by this process's death too
        except OSError as error:
            logger.warning("Another process may run the same benchmark: %s", error.strerror)
        yield


def _key(artifact: Artifact, layer: str, flags: Iterable[str]) -> str:
    """Name all that the outcome depends on, short enough for a person to compare."""
    parts = (*sorted(flags), version("tensorflow"), artifact.card.weights.sha256, layer)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _measured(folder: Path, layer: str) -> str:
    """Run the benchmark in another process and return what it chose; float32 where it failed."""
    command = [sys.executable, "-m", "pneumoml.network.precision_benchmark", str(folder.resolve()), layer]
    try:
        done = subprocess.run(  # noqa: S603  # our own module, with a folder of ours
            command, cwd=_ROOT, capture_output=True, text=True, timeout=_BENCHMARK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", None) or "").strip().splitlines()
        logger.warning("The arithmetics could not be compared, float32 it is: %s", (told or [error])[-1])
        return FLOAT32
    return done.stdout.strip()


def _noted(notes: Path | None) -> dict[str, str]:
    try:
        found = json.loads(notes.read_text("ascii")) if notes is not None else {}
    except (OSError, ValueError):
        return {}
    return {str(key): str(name) for key, name in found.items()} if isinstance(found, dict) else {}


def _note(notes: Path, remembered: dict[str, str]) -> None:
    beside = notes.with_name(f"{notes.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(remembered, indent=1), "ascii")
        beside.replace(notes)
    except OSError as error:
        logger.warning("The chosen arithmetic could not be noted: %s", error.strerror)


def main(folder: str, layer: str) -> None:
    """Load the version in `folder` in each arithmetic, one after the other, and print the chosen one."""
    from pneumoml.cards.artifact import load_artifact
    from pneumoml.network.predictor import Predictor

    artifact = load_artifact(Path(folder))
    names = offered(cpu_flags())
    print(choose(lambda name: Predictor.load(artifact, layer=layer, precision=name), names))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
