"""What every result is made of: where it comes from (machine, load, date, commit), p95, and its file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


def machine_facts() -> dict[str, object]:
    """Processor, cores, load of the last minute, date, commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.machine()


def p95(values: Iterable[float]) -> float:
    """Return the 95th percentile, one of the values themselves (the nearest rank)."""
    ordered = sorted(values)
    return ordered[round(0.95 * (len(ordered) - 1))]


def write_result(result: Any, output: Path | None, *, printed: Any = None) -> None:
    """Write the result as JSON where a file is named, and print it, or what is to be printed of it."""
    if output is not None:
        output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result if printed is None else printed, indent=1) + "\n")
