"""Every film exported as CSV through the web server: how long, and how much memory, while pages are asked."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

PAUSE_SECONDS = 1.0  # between two looks at the memory and a page


def measure_export(address: str, token: str, megabytes: Callable[[], int]) -> dict[str, Any]:
    """Take the whole CSV file from `address` and return rows, size, time and the web server's memory in MiB.

    `megabytes` tells the server's memory now. Meanwhile the newest films are listed once a second.
    """
    import requests

    before, seen, listed, ended = megabytes(), [megabytes()], [], threading.Event()

    def look() -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Token {token}"
        while not ended.wait(PAUSE_SECONDS):
            started = time.perf_counter()
            session.get(f"{address}/api/v1/studies/", timeout=60).raise_for_status()
            listed.append(time.perf_counter() - started)
            seen.append(megabytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    started, size, rows = time.perf_counter(), 0, -1  # the heading is no row
    try:
        answer = requests.get(
            f"{address}/api/v1/exports/reads.csv",
            headers={"Authorization": f"Token {token}"},
            stream=True,
            timeout=120,
        )
        answer.raise_for_status()
        first = None
        for piece in answer.iter_content(1 << 20):
            first = first or time.perf_counter() - started
            size, rows = size + len(piece), rows + piece.count(b"\n")
    finally:
        ended.set()
        watcher.join()
    taken = time.perf_counter() - started
    return {
        "lines": rows,
        "mb": round(size / 1e6),
        "first_piece_s": round(first or 0.0, 2),
        "seconds": round(taken, 1),
        "web_mib_before": before,
        "web_mib_most": max(seen),
        "web_mib_by_tenth": [seen[len(seen) * tenth // 10] for tenth in range(10)],
        "list_meanwhile_p50_ms": round(1000 * statistics.median(listed), 1) if listed else None,
    }
