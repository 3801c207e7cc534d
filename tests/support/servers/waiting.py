"""Waiting for something that another process or thread does: poll with a deadline, never sleep and hope."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05) -> None:
    """Return as soon as `condition()` is true; raise AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds} s in vain for: {what}")
        time.sleep(every)
