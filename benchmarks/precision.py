"""bfloat16 against float32 on validation films: decisions, AUC, maps, time. Runs on any CPU, fast or not.

    .venv/bin/python -m benchmarks.precision --data chest_xray --output benchmarks/results/precision.json

Every film is read twice by the newest shipped version. What is asked of the rougher arithmetic: the same
decision on every film whose calibrated probability lies further than 0.01 from the operating point, an AUC
within 0.001, maps that correlate with 0.99 or more. A CPU without bfloat16 imitates it, slowly: there only
the comparison counts, not the time.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison.machine import machine_facts, write_result
from benchmarks.comparison.shipped import newest_version
from pneumoml.network.precision import BFLOAT16, FLOAT32, LARGEST_DIFFERENCE, cpu_flags, offered
from pneumoml.network.predictor import FilmResult, Predictor
from pneumoml.statistics.metrics import auc
from pneumoml.training.dataset import LabelledFilm, load_pixels, read_split

LEAST_CORRELATION = 0.99


def compared(
    films: list[LabelledFilm], threshold: float, results: dict[str, list[FilmResult]]
) -> dict[str, Any]:
    """Return the differences between the two ways of computing."""
    labels = np.array([film.label for film in films], dtype=np.float64)
    exact, rough = (
        np.array([result.calibrated_probability for result in results[name]]) for name in (FLOAT32, BFLOAT16)
    )
    differ = (exact >= threshold) != (rough >= threshold)
    far = np.abs(exact - threshold) > LARGEST_DIFFERENCE
    maps = [
        (float(np.corrcoef(one.cam.ravel(), other.cam.ravel())[0, 1]), one)
        for one, other in zip(results[FLOAT32], results[BFLOAT16], strict=True)
        if one.cam.std() > 0 and other.cam.std() > 0
    ]
    correlations = [correlation for correlation, _ in maps]
    apart = [
        {
            "correlation": correlation,
            "strength": result.cam_strength,
            "calibrated_probability": result.calibrated_probability,
            "map_flags": result.map_flags,
        }
        for correlation, result in sorted(maps, key=lambda pair: pair[0])
        if correlation < LEAST_CORRELATION
    ]
    return {
        "films": len(films),
        "decisions_that_differ": int(differ.sum()),
        "of_them_away_from_the_operating_point": int((differ & far).sum()),
        "largest_difference_of_probability": float(np.abs(exact - rough).max()),
        "auc": {FLOAT32: auc(labels, exact), BFLOAT16: auc(labels, rough)},
        "map_correlation": {
            "maps": len(maps),
            "median": statistics.median(correlations),
            "least": min(correlations),
            "below": apart,
        },
        "median_strength": statistics.median(result.cam_strength for result in results[FLOAT32]),
        "median_forward_ms": {
            name: statistics.median(result.timings.forward_ms for result in read)
            for name, read in results.items()
        },
    }


def main() -> None:
    """Read the films both ways and write what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with split.csv; its films “val” are read"
    )
    parser.add_argument("--films", type=int, default=10_000, help="at most so many, half of each class")
    parser.add_argument("--output", type=Path, help="JSON file for the result; it is printed in any case")
    options = parser.parse_args()
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as pneumoweb/settings.py
    found = [film for film in read_split(options.data) if film.split == "val"]
    films = [
        film
        for label in (0, 1)
        for film in [one for one in found if one.label == label][: options.films // 2]
    ]
    artifact = newest_version()
    results: dict[str, list[FilmResult]] = {}
    for name in (FLOAT32, BFLOAT16):
        predictor = Predictor.load(artifact, precision=name)
        results[name] = [predictor.predict(load_pixels(film)) for film in films]
    result = {
        **compared(films, artifact.card.threshold, results),
        "version": artifact.card.version,
        "cpu_offers": offered(cpu_flags()),
        "machine": machine_facts(),
    }
    write_result(result, options.output)


if __name__ == "__main__":
    main()
