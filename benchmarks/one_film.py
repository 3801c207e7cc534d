"""Time from sending one film to its result on an idle installation, and the memory of its processes.

    ./run.sh                                                   # in another terminal, from this folder
    .venv/bin/python -m benchmarks.one_film --server http://127.0.0.1:8000 --user admin

The password is asked for, or read from PNEUMOWEB_PASSWORD. Each film is a sample with a few pixels changed,
so that none is recognised as sent before. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import getpass
import io
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
import psutil
import requests
from PIL import Image

from benchmarks.comparison.machine import ROOT, machine_facts

SAMPLES = sorted((ROOT / "samples").glob("*.jpeg"))


def changed(path: Path, seed: int) -> bytes:
    """Return the sample as PNG with a corner of 4×4 pixels drawn at random."""
    pixels = np.asarray(Image.open(path).convert("L")).copy()
    pixels[:4, :4] = np.random.default_rng((seed, time.time_ns())).integers(0, 40, (4, 4))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def seconds_to_result(session: requests.Session, server: str, film: bytes) -> float:
    """Send one film to /predict, which answers when the result is there."""
    started = time.perf_counter()
    answer = session.post(f"{server}/predict", files={"file": ("film.png", film)}, timeout=60)
    answer.raise_for_status()
    if answer.status_code != 200:
        raise SystemExit(f"No result in time: {answer.json()}")
    return time.perf_counter() - started


def megabytes() -> dict[str, list[int]]:
    """Resident memory of this installation's processes, by what they are."""
    found: dict[str, list[int]] = {}
    for process in psutil.process_iter(["cmdline", "cwd", "memory_info"]):
        words = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] != str(ROOT) or not words or process.pid == os.getpid():
            continue
        kind = next((name for name in ("gunicorn", "celery", "valkey", "supervise") if name in words), "")
        if kind:
            found.setdefault(kind, []).append(round(process.info["memory_info"].rss / 2**20))
    return found


def main() -> None:
    """Send films one after another and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--films", type=int, default=20)
    options = parser.parse_args()
    password = os.environ.get("PNEUMOWEB_PASSWORD") or getpass.getpass()
    session = requests.Session()
    login = session.post(
        f"{options.server}/api/v1/auth/login/", json={"username": options.user, "password": password}
    )
    login.raise_for_status()
    session.headers["Authorization"] = f"Token {login.json()['token']}"
    films = [changed(SAMPLES[number % len(SAMPLES)], number) for number in range(options.films + 1)]
    seconds_to_result(session, options.server, films.pop())  # the first may wait for the model to load
    taken = sorted(seconds_to_result(session, options.server, film) for film in films)
    answer = {
        "films": len(taken),
        "median_seconds": round(statistics.median(taken), 3),
        "p95_seconds": round(taken[int(0.95 * (len(taken) - 1))], 3),
        "least_and_most": [round(taken[0], 3), round(taken[-1], 3)],
        "memory_mib": megabytes(),
        "machine": machine_facts(),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
