"""The bare fused pass in a process of its own: no web, no files, no database. Started by `throughput`.

Its argument is the arithmetic, one of `pneumoml.network.precision.PRECISIONS`. Each line on standard input is
a number of films; the answer is one JSON line with seconds and CPU seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np

from benchmarks.comparison.shipped import newest_version


def main(precision: str) -> None:
    """Load the newest shipped version, then run passes as asked."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as pneumoweb/settings.py
    from pneumoml.network.predictor import Predictor

    predictor = Predictor.load(newest_version(), precision=precision)
    films = np.random.default_rng(0).normal(0, 50, (4, 1, 224, 224, 3)).astype(np.float32)
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(int(line)):
            predictor.bare_pass(films[number % len(films)])
        taken = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        sys.stdout.write(json.dumps(taken) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
