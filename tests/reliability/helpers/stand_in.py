"""A stand-in for the network in the worker's own process, and films that hurt the worker who reads them."""

import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig

READ_SECONDS = 0.05
SLOW, SLOW_SECONDS = "slow", 1.5  # the subject's code of a film that takes longer


class StandIn(AppConfig):
    """Takes the network's place in every process that loads it."""

    name = "tests.reliability"
    label = "stand_in"

    def ready(self) -> None:
        """Put the stand-in where the network is loaded; everything around it is the project's own."""
        from diagnosis.inference import predictors, worker

        compute = worker._compute

        def hurt_and_compute(row: Any, *ahead: Any) -> Any:
            if row.study.subject_code == SLOW:
                time.sleep(SLOW_SECONDS)
            HARMS.get(row.study.subject_code, _none)()
            return compute(row, *ahead)

        worker._compute = hurt_and_compute
        predictors._load = lambda *version: _Predictor()  # type: ignore[assignment]


class _Predictor:
    def predict(self, pixels: Any, *, colour_fraction: float) -> Any:
        from tests.support.results import film_result

        time.sleep(READ_SECONDS)
        return film_result(0.9)


# --- What a film may do to its worker, by the subject's code --------------------------------------------


def _none() -> None:
    """Do no harm."""


def _crash() -> None:
    """End as a decoder does that writes where it must not."""
    os.kill(os.getpid(), signal.SIGSEGV)


def _killed() -> None:
    """End as the kernel does it to the largest process when memory gives out."""
    os.kill(os.getpid(), signal.SIGKILL)


def _memory() -> None:
    """Take all the memory that the process may have."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 64 * 1024 * 1024, before[1]))
    taken = []
    try:
        while True:
            taken.append(bytearray(8 * 1024 * 1024))
    finally:
        taken.clear()
        resource.setrlimit(resource.RLIMIT_AS, before)


def _hang() -> None:
    """Never come back, and be deaf to the soft limit of time."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    while True:
        time.sleep(60)


HARMS: dict[str, Callable[[], None]] = {
    "crash": _crash,
    "killed": _killed,
    "memory": _memory,
    "hang": _hang,
}
