"""Films a second and seconds a film of one machine: our whole installation, the Flask peer, the bare pass.

    .venv/bin/python -m benchmarks.throughput --output benchmarks/results/throughput.json
    .venv/bin/python -m benchmarks.throughput --precision float32 --workers 2

Starts both systems as their users do, each in a new folder and on a port of its own, and sends both the same
kind of full-size films, no film twice. Blocks alternate: ours, peer, bare pass, and again, with the peer
stopped (SIGSTOP) while it is not its turn and ours idle. Ours is measured from the first POST until the last
result is stored, films durable before each answer; the peer's clients wait for each answer. Then single films
on the idle systems, in turn. Takes five minutes on two quiet cores; on a busy machine only the ratios count.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.comparison.films import films
from benchmarks.comparison.machine import machine_facts, p95, write_result
from benchmarks.comparison.processes import cpu_seconds, memory_mb
from benchmarks.comparison.systems import ROOT, Ours, Peer
from pneumoml.network.precision import AUTO, PRECISIONS


class Bare:
    """The bare pass, in a process that runs as many as it is asked for."""

    def __init__(self, precision: str) -> None:
        """Start it in this arithmetic and wait until its model is loaded."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.comparison.bare", precision],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._answer()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None  # it is a pipe
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def run(self, count: int) -> dict[str, float]:
        """Run passes; return seconds and CPU seconds."""
        assert self._process.stdin is not None  # it is a pipe
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)


def send_all(send: Callable[[bytes], Any], sent: list[bytes], clients: int) -> None:
    """Send films from several clients at once, each waiting for its answer before its next film."""
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(send, film) for film in sent]:
            done.result()


def our_block(ours: Ours, sent: list[bytes], clients: int) -> dict[str, Any]:
    """Send films to ours and wait until all are read."""
    before, started = cpu_seconds(ours.pid), time.perf_counter()
    send_all(ours.submit, sent, clients)
    taken_in = time.perf_counter() - started
    ours.wait_until_read()
    seconds, after = time.perf_counter() - started, cpu_seconds(ours.pid)
    cpu = {name: (after[name] - before.get(name, 0.0)) / len(sent) for name in after}
    return {"films": len(sent), "seconds": seconds, "taken_in_seconds": taken_in, "cpu_seconds_a_film": cpu}


def predict_block(system: Ours | Peer, sent: list[bytes], clients: int) -> dict[str, Any]:
    """Send films to POST /predict, which answers with the result and the overlay."""
    before, started = sum(cpu_seconds(system.pid).values()), time.perf_counter()
    send_all(system.predict, sent, clients)
    seconds = time.perf_counter() - started
    cpu = (sum(cpu_seconds(system.pid).values()) - before) / len(sent)
    return {"films": len(sent), "seconds": seconds, "cpu_seconds_a_film": cpu}


def blocks(ours: Ours, peer: Peer, bare: Bare, supply: Iterator[bytes], options: Any) -> dict[str, list[Any]]:
    """Run the alternating blocks."""
    found: dict[str, list[Any]] = {"ours": [], "ours_predict": [], "peer": [], "bare": []}
    for number in range(options.rounds):
        sent = [next(supply) for _ in range(options.films)]
        found["ours"].append(our_block(ours, sent, options.clients))
        found["bare"].append({"films": options.films, **bare.run(options.films)})
        peer.go_on()
        few = [next(supply) for _ in range(options.peer_films)]
        found["peer"].append(predict_block(peer, few, options.clients))
        peer.pause()
        sent = [next(supply) for _ in range(options.films)]
        found["ours_predict"].append(predict_block(ours, sent, options.clients))
        sys.stderr.write(f"Round {number + 1} of {options.rounds} is done.\n")
    return found


def idle_latency(ours: Ours, peer: Peer, supply: Iterator[bytes], count: int) -> dict[str, list[float]]:
    """Seconds from sending one film to its result, the three ways in turn."""
    taken: dict[str, list[float]] = {"ours_predict": [], "ours_polled": [], "peer": []}
    for _ in range(count):
        taken["ours_predict"].append(_seconds(ours.predict, next(supply)))
        taken["ours_polled"].append(_seconds(ours.result_by_polling, next(supply)))
        peer.go_on()
        taken["peer"].append(_seconds(peer.predict, next(supply)))
        peer.pause()
    return taken


def _seconds(send: Callable[[bytes], Any], film: bytes) -> float:
    started = time.perf_counter()
    send(film)
    return time.perf_counter() - started


def rate(found: list[Any]) -> float:
    """Films a second over all blocks of one kind."""
    return float(sum(block["films"] for block in found) / sum(block["seconds"] for block in found))


def summary(found: dict[str, list[Any]], latency: dict[str, list[float]]) -> dict[str, Any]:
    """The figures that the targets are about."""
    rates = {name: rate(list_) for name, list_ in found.items()}
    bare_cpu = sum(block["cpu_seconds"] for block in found["bare"]) / sum(b["films"] for b in found["bare"])
    parts = {
        name: statistics.mean(block["cpu_seconds_a_film"].get(name, 0.0) for block in found["ours"])
        for name in found["ours"][-1]["cpu_seconds_a_film"]
    }
    parts["network"], parts["worker beside the network"] = bare_cpu, max(0.0, parts.pop("worker") - bare_cpu)
    whole = sum(parts.values())
    quantiles = {name: _median_and_p95(taken) for name, taken in latency.items()}
    median, late = quantiles["peer"]
    return {
        "films_a_second": _rounded(rates),
        "times_the_peer": round(rates["ours"] / rates["peer"], 2),
        "times_the_peer_through_predict": round(rates["ours_predict"] / rates["peer"], 2),
        "share_of_the_bare_pass": round(rates["ours"] / rates["bare"], 3),
        "cpu_seconds_a_film": _rounded(parts),
        "peer_cpu_seconds_a_film": round(
            statistics.mean(block["cpu_seconds_a_film"] for block in found["peer"]), 3
        ),
        "profile_per_cent": {name: round(100 * value / whole, 1) for name, value in parts.items()},
        "idle_median_and_p95_seconds": {name: _rounded(pair) for name, pair in quantiles.items()},
        "idle_share_of_the_peer": {
            name: [round(pair[0] / median, 2), round(pair[1] / late, 2)]
            for name, pair in quantiles.items()
            if name != "peer"
        },
    }


def _median_and_p95(taken: list[float]) -> list[float]:
    return [statistics.median(taken), p95(taken)]


def _rounded(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: round(value, 4) for name, value in values.items()}
    return [round(value, 4) for value in values]


def measured(folder: Path, options: Any) -> dict[str, Any]:
    """Start everything, measure, stop everything."""
    settings = {"PREDICTION_PRECISION": options.precision, "WORKERS": str(options.workers)}
    ours, peer, supply = Ours(folder, **settings), Peer(folder), films()
    try:
        first_start = ours.start()
        ours.stop()
        started, peer_start = ours.start(), peer.start()
        ours.result_by_polling(next(supply))
        precision = ours.precision()
        bare = Bare(precision)
        peer.predict(next(supply))
        peer.pause()
        load = machine_facts()
        found = blocks(ours, peer, bare, supply, options)
        latency = idle_latency(ours, peer, supply, options.idle_films)
        peer.go_on()
        memory = {"ours": memory_mb(ours.pid), "peer": memory_mb(peer.pid)}
        bare.stop()
    finally:
        peer.stop()
        ours.stop()
    return {
        "precision": precision,
        "workers": options.workers,
        **summary(found, latency),
        "first_start_seconds": first_start,
        "second_start_seconds": started,
        "peer_start_seconds": round(peer_start, 1),
        "memory_mb": memory,
        "options": vars(options) | {"output": str(options.output)},
        "machine": load,
        "blocks": found,
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, help="JSON file for the result; it is printed in any case")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--films", type=int, default=36, help="of a block of ours")
    parser.add_argument("--peer-films", type=int, default=12, help="of a block of the peer's")
    parser.add_argument("--idle-films", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--precision", default=AUTO, choices=(AUTO, *PRECISIONS), help="of our worker")
    parser.add_argument("--workers", type=int, default=1, help="of ours, as WORKERS of .env.example")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends this ends what it started
    with tempfile.TemporaryDirectory(prefix="pneumoweb-throughput-") as folder:
        result = measured(Path(folder), options)
    printed = {key: value for key, value in result.items() if key != "blocks"}
    write_result(result, options.output, printed=printed)


if __name__ == "__main__":
    main()
