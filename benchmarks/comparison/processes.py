"""CPU seconds and memory of a tree of processes, by what each process is."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress

import psutil

_KINDS = (
    ("decode_child", "decoder"),
    ("gunicorn", "web"),
    ("pneumoweb.runtime.broker", "broker"),
    ("valkey", "broker"),
    ("beat", "clock"),
    ("worker", "worker"),
    ("supervis", "supervisor"),
    ("peer_flask", "peer"),
)


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and everything it started."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def kind(process: psutil.Process) -> str:
    """Tell what the process is, by its command line."""
    words = " ".join(process.cmdline())
    return next((name for sign, name in _KINDS if sign in words), "other")


def cpu_seconds(pid: int) -> dict[str, float]:
    """CPU seconds used until now, by kind; those of ended children count for who waited for them."""
    used: dict[str, float] = defaultdict(float)
    for process in tree(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            ended = times.children_user + times.children_system if kind(process) == "decoder" else 0.0
            used[kind(process)] += times.user + times.system + ended
    return dict(used)


def memory_mb(pid: int) -> dict[str, list[dict[str, int]]]:
    """Resident (rss) and proportional (pss) megabytes of each process, by kind."""
    found: dict[str, list[dict[str, int]]] = defaultdict(list)
    for process in tree(pid):
        with suppress(psutil.NoSuchProcess):
            memory = process.memory_full_info()
            found[kind(process)].append({"rss": memory.rss >> 20, "pss": memory.pss >> 20})
    return dict(found)
