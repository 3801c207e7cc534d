"""Films a second of one worker and of two on disjoint cores, and how far the other parts reach.

    .venv/bin/python -m benchmarks.workers --output benchmarks/results/workers.json

PostgreSQL, Redis and an object store are real processes. A backlog of films is read by one worker pinned to
one core, then by two pinned to a core each, in turn; the second stands still (SIGSTOP) meanwhile. Then each
other part is driven as far as it goes: rows claimed and finished, messages, uploads, and what a film costs a
worker besides the network. From these follows, on paper, how many workers it takes until which part is the
narrow one. Takes six minutes on two quiet cores; on a busy machine only the ratio counts.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from benchmarks.comparison.films import films
from benchmarks.comparison.machine import machine_facts, write_result
from benchmarks.comparison.systems import wait_for
from benchmarks.parts.servers import INSTANT, Installation, cpu_of

WAITING = "select count(*) from diagnosis_prediction where status in ('queued', 'running')"
SPAN = (
    "select count(*) / extract(epoch from max(finished_at) - min(started_at)) from diagnosis_prediction "
    "join diagnosis_study study on study.id = study_id where status = 'succeeded' and study.byte_size > 1"
)
ROWS = 800
MOVES = {
    "results, one after the other in the audit trail": "a disk that commits faster; several results a commit",
    "one core of PostgreSQL": "more cores for PostgreSQL: only the trail is one after the other",
    "one core of Redis (a message sent and fetched)": "fewer: any message makes a worker look for films",
    "messages sent by one web process": "more web processes; a connection that stays open",
    "one core of web (uploads)": "more web processes, on further machines too",
}
PARTS = ("postgres", "redis", "objects")


def say(sentence: str) -> None:
    """Tell how far it is, beside the result."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


def read_backlog(site: Installation, count: int) -> dict[str, float]:
    """Let the workers that run read every film once more; return films a second and CPU a film by part."""
    before = {part: cpu_of(site.pids[part]) for part in PARTS if part in site.pids}
    site.call("queue_again")
    # To the last one: a worker that is stopped in the middle of a film would come back to a lost lease.
    wait_for(lambda: site.query(WAITING) == 0, "the backlog", pause=0.05, seconds=600)
    cost = {f"{part}_cpu": (cpu_of(site.pids[part]) - used) / count for part, used in before.items()}
    rate = float(site.query(SPAN))
    say(f"{rate:.2f} films a second")
    return {"films_a_second": rate, **cost}


def scaling(site: Installation, count: int, blocks: int) -> dict[str, list[dict[str, float]]]:
    """Read the backlog with one worker and with two, in turn."""
    found: dict[str, list[dict[str, float]]] = {"one": [], "two": []}
    # Each has read films before the clock runs: the first alone, then the second.
    site.start_worker("first", 0)
    read_backlog(site, count)
    site.send("first", signal.SIGSTOP)
    site.start_worker("second", 1)
    read_backlog(site, count)
    site.send("first", signal.SIGCONT)
    for _ in range(blocks):
        site.send("second", signal.SIGSTOP)
        found["one"].append(read_backlog(site, count))
        site.send("second", signal.SIGCONT)
        found["two"].append(read_backlog(site, count))
    site.stop("first", "second")
    return found


def ceilings(site: Installation, count: int, uploads: int) -> dict[str, float]:
    """Drive each part alone as far as it goes."""
    site.start_worker("instant", 0, settings=INSTANT)
    read_backlog(site, count)
    found = {"worker_without_network": read_backlog(site, count)["films_a_second"]}
    site.stop("instant")
    for processes in (1, 2, 4, 8):
        site.call("rows", str(ROWS))
        before = cpu_of(site.pids["postgres"])
        told = json.loads(site.call("finish", str(processes)))
        say(f"{processes} processes finish {told['films'] / told['seconds']:.0f} rows a second")
        found[f"finished_by_{processes}"] = told["films"] / told["seconds"]
        found["postgres_cpu_a_film"] = (cpu_of(site.pids["postgres"]) - before) / told["films"]
    before = cpu_of(site.pids["redis"])
    told = json.loads(site.call("messages", "500"))
    found["messages_of_one_process"] = told["messages"] / told["seconds"]
    found["redis_cpu_a_message"] = (cpu_of(site.pids["redis"]) - before) / told["messages"]
    return found | upload_ceiling(site, uploads)


def upload_ceiling(site: Installation, count: int) -> dict[str, float]:
    """Send films from eight clients to one web process; return uploads a second and CPU an upload."""
    site.start_web()
    address = f"http://127.0.0.1:{site.port}/api/v1/"
    login = {"username": "admin", "password": site.variables["DJANGO_SUPERUSER_PASSWORD"]}
    token = requests.post(f"{address}auth/login/", json=login, timeout=60).json()["token"]
    headers = {"Authorization": f"Token {token}"}

    def send(film: bytes) -> None:
        answer = requests.post(f"{address}studies/", files={"file": film}, headers=headers, timeout=120)
        answer.raise_for_status()

    supply = films()
    some = [next(supply) for _ in range(count + 4)]
    for film in some[:4]:
        send(film)
    before, started = cpu_of(site.pids["web"]), time.perf_counter()
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(send, some[4:]))
    seconds = time.perf_counter() - started
    return {"uploads": count / seconds, "web_cpu_an_upload": (cpu_of(site.pids["web"]) - before) / count}


def on_paper(one: float, found: dict[str, float]) -> dict[str, Any]:
    """Tell at how many one-core workers each part is used up, and what all together then read a second."""
    reach = {
        "results, one after the other in the audit trail": max(
            value for name, value in found.items() if name.startswith("finished_by_")
        ),
        "one core of PostgreSQL": 1 / found["postgres_cpu_a_film"],
        "one core of Redis (a message sent and fetched)": 1 / (2 * found["redis_cpu_a_message"]),
        "messages sent by one web process": found["messages_of_one_process"],
        "one core of web (uploads)": 1 / found["web_cpu_an_upload"],
    }
    narrow = min(reach.values())
    sizes = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    return {
        "films_a_second_until": reach,
        "workers_until": {name: films_a_second / one for name, films_a_second in reach.items()},
        "films_a_second_of_workers": {str(number): min(number * one, narrow) for number in sizes},
        "narrowest": min(reach, key=lambda name: reach[name]),
        "what_moves_it": MOVES,
    }


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything in a new installation."""
    facts = machine_facts()
    site = Installation(folder, objects=options.store == "objects")
    try:
        say(f"Taking {options.films} films in")
        site.call("fill", str(options.films))
        found = scaling(site, options.films, options.blocks)
        one, two = (
            statistics.median(block["films_a_second"] for block in found[name]) for name in ("one", "two")
        )
        reach = ceilings(site, options.films, options.uploads)
    finally:
        site.stop()
    return {
        "machine": facts | {"load_at_end": round(os.getloadavg()[0], 2)},
        "films": options.films,
        "store": options.store,
        "films_a_second": {"one_worker_one_core": one, "two_workers_one_core_each": two},
        "efficiency_of_two": two / (2 * one),
        "blocks": found,
        "ceilings": reach,
        "on_paper": on_paper(one, reach),
    }


def rounded(value: Any) -> Any:
    """Round every number to four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--films", type=int, default=80, help="size of the backlog (80)")
    parser.add_argument("--blocks", type=int, default=3, help="how often one and two are measured (3)")
    parser.add_argument("--uploads", type=int, default=100, help="films sent to the web process (100)")
    parser.add_argument("--store", choices=["objects", "files"], default="objects", help="where films lie")
    parser.add_argument("--output", type=Path, help="where the result is written as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pneumoweb-workers-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        result = rounded(measured(Path(folder), options))
    write_result(result, options.output)


if __name__ == "__main__":
    main()
