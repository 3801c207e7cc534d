"""Sends the Celery message for a prediction or a batch. Best effort: `reconcile` sends lost ones again.

There are three queues. Films uploaded singly come first: they wait for no more than the task that is
running. Workers alternate between the other two, so that a new archive is unpacked although films of earlier
ones wait.
"""

import logging
import threading
import time
from typing import Any

from celery import current_app

logger = logging.getLogger(__name__)

PREDICT_TASK = "diagnosis.tasks.predict"
UNPACK_TASK = "diagnosis.tasks.unpack"
BATCH_QUEUE = "batch"
UNPACK_QUEUE = "unpack"
_PAUSE_SECONDS = 10.0
_SHORT_TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "max_retries": 0}


class _CircuitBreaker:
    """Remembers that the broker did not answer, so that the next requests do not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open_until = 0.0

    def is_open(self) -> bool:
        with self._lock:
            return time.monotonic() < self._open_until

    def trip(self) -> None:
        with self._lock:
            self._open_until = time.monotonic() + _PAUSE_SECONDS


_breaker = _CircuitBreaker()


def is_paused() -> bool:
    """True while no message is sent because the broker did not answer; each process decides for itself."""
    return _breaker.is_open()


def _connection() -> Any:
    """Return a separate connection that gives up before the uploader does.

    The pool's connections have the worker's timeouts: with a frozen Redis they retry for 6 s.
    """
    connection = current_app.connection_for_write()
    connection.transport_options = {**(connection.transport_options or {}), **_SHORT_TIMEOUTS}
    return connection


def enqueue_prediction(prediction_uid: str) -> bool:
    """Send the message for a prediction; return False when the broker did not take it.

    Never raises: the reconciler sends again for every row that stays unfinished.
    """
    return _send(PREDICT_TASK, prediction_uid)


def enqueue_batch_prediction(prediction_uid: str) -> bool:
    """Send the message for one more film of a batch; `scheduling` decides which film it starts."""
    return _send(PREDICT_TASK, prediction_uid, queue=BATCH_QUEUE)


def enqueue_unpacking(batch_uid: str) -> bool:
    """Send the message for the next step of unpacking a batch's archive."""
    return _send(UNPACK_TASK, batch_uid, queue=UNPACK_QUEUE)


def _send(task: str, uid: str, **queue: Any) -> bool:
    if _breaker.is_open():
        return False
    try:
        with _connection() as connection:
            current_app.send_task(task, args=[uid], ignore_result=True, connection=connection, **queue)
    except Exception as error:  # every transport raises its own kinds, and none may reach the uploader
        _breaker.trip()
        logger.warning(
            "The broker did not take a message (%s); the reconciler sends it again.",
            type(error).__name__,
        )
        return False
    return True
