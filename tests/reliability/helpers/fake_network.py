"""A fake network in the worker's process, and films that harm the worker which analyses them."""

import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig

ANALYSIS_SECONDS = 0.05
SLOW, SLOW_SECONDS = "slow", 1.5  # the subject code of a film that takes longer


class FakeNetwork(AppConfig):
    """Replaces the network in every process that loads this app."""

    name = "tests.reliability"
    label = "fake_network"

    def ready(self) -> None:
        """Replace the loading of the network; everything around it is the project's own."""
        from diagnosis.inference import predictors, worker

        compute = worker._compute

        def harm_and_compute(row: Any, *prefetcher: Any) -> Any:
            if row.study.subject_code == SLOW:
                time.sleep(SLOW_SECONDS)
            HARMS.get(row.study.subject_code, _none)()
            return compute(row, *prefetcher)

        worker._compute = harm_and_compute
        predictors._load = lambda *version: _Predictor()  # type: ignore[assignment]


class _Predictor:
    def predict(self, pixels: Any, *, colour_fraction: float) -> Any:
        from tests.support.results import film_result

        time.sleep(ANALYSIS_SECONDS)
        return film_result(0.9)


# --- What a film may do to its worker, by subject code --------------------------------------------------


def _none() -> None:
    """Do no harm."""


def _crash() -> None:
    """End like a decoder that writes to memory it does not own."""
    os.kill(os.getpid(), signal.SIGSEGV)


def _killed() -> None:
    """End as if killed by the kernel for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def _memory() -> None:
    """Allocate all the memory that the process may have."""
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
    """Hang, and ignore the soft time limit."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    while True:
        time.sleep(60)


HARMS: dict[str, Callable[[], None]] = {
    "crash": _crash,
    "killed": _killed,
    "memory": _memory,
    "hang": _hang,
}
