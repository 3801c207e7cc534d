"""The arithmetic a predictor computes in: what the CPU offers, and the measured check before it is used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"
PRECISIONS = (FLOAT32, BFLOAT16)
# Elsewhere bfloat16 is imitated, and slower than float32.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
# Of the calibrated probability: a decision may differ this close to the operating point, and nowhere else.
LARGEST_DIFFERENCE = 0.01
_LEAST_GAIN = 0.9  # a tenth less time, or the exact arithmetic stays
_TRIAL_SIDE, _TRIAL_FILMS = 480, 4


class Reading(Protocol):
    """The part of a result that is compared."""

    @property
    def calibrated_probability(self) -> float:
        """0 to 1."""
        ...


class Reader(Protocol):
    """What is compared: something that analyses films, uint8 (H, W)."""

    def predict(self, pixels: NDArray[np.uint8], /) -> Reading:
        """Analyse one film."""
        ...


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the CPU's feature flags as Linux names them; none where they cannot be asked."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())


def offered(flags: Collection[str]) -> tuple[str, ...]:
    """Return the precisions that a CPU with these flags computes natively, the exact one first."""
    return PRECISIONS if _BFLOAT16_FLAGS & set(flags) else (FLOAT32,)


def choose(load: Callable[[str], Reader], names: Sequence[str]) -> str:
    """Return the fastest of `names` whose results on test films agree with the first, the exact one.

    Another than the first is taken where no test film's calibrated probability differs by more than
    `LARGEST_DIFFERENCE` and a film takes at least a tenth less time. Only one reader is kept at a time.
    """
    films = sample_films()
    best = names[0]
    expected, least = _read(load(best), films)
    least *= _LEAST_GAIN
    for name in names[1:]:
        found, seconds = _read(load(name), films)
        if float(np.abs(found - expected).max()) <= LARGEST_DIFFERENCE and seconds <= least:
            best, least = name, seconds
    return best


def sample_films() -> list[NDArray[np.uint8]]:
    """Return made-up films, uint8 (480, 480): body, lungs, ribs and grain, stronger from one to the next."""
    down, across = np.mgrid[-1 : 1 : _TRIAL_SIDE * 1j, -1 : 1 : _TRIAL_SIDE * 1j]
    random = np.random.default_rng(20)
    films = []
    for number in range(_TRIAL_FILMS):
        lungs = 60 * np.exp(-((np.abs(across) - 0.45) ** 2) * 20)
        body = 190 * np.exp(-((across * (1 + number / 4)) ** 2)) - lungs
        ribs = 12 * (1 + number) * np.sin(down * (18 + 3 * number))
        grain = random.normal(0, 3 + 4 * number, body.shape)
        films.append(np.clip(body + ribs + grain, 0, 255).astype(np.uint8))
    return films


def _read(reader: Reader, films: list[NDArray[np.uint8]]) -> tuple[NDArray[np.float64], float]:
    """Return the calibrated probabilities, and the shortest time of a film in seconds."""
    probabilities, taken = [], []
    for film in films:
        started = perf_counter()
        probabilities.append(reader.predict(film).calibrated_probability)
        taken.append(perf_counter() - started)
    return np.array(probabilities), min(taken)
