"""Rings Celery with the id of a prediction or a batch. Losing a ring loses nothing: the row is the queue.

There are three lanes, queues of Celery. Films that somebody has just uploaded by themselves come first: they
wait for the film, or the step of unpacking, that is under way. The other two take turns, so that a new
archive is unpacked although films of earlier ones wait.
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
_IMPATIENCE = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "max_retries": 0}


class _CircuitBreaker:
    """Remembers that the broker did not answer, so that the next requests do not wait for it too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def is_open(self) -> bool:
        with self._lock:
            return time.monotonic() < self._closed_until

    def trip(self) -> None:
        with self._lock:
            self._closed_until = time.monotonic() + _PAUSE_SECONDS


_breaker = _CircuitBreaker()


def is_paused() -> bool:
    """True while a broker that did not answer is left alone; every process has its own opinion."""
    return _breaker.is_open()


def _impatient_connection() -> Any:
    """Return a connection of its own that gives up before the uploader does.

    The pool's connections have the worker's patience: with a frozen Redis they try, sleep and try again, 6 s.
    """
    connection = current_app.connection_for_write()
    connection.transport_options = {**(connection.transport_options or {}), **_IMPATIENCE}
    return connection


def enqueue_prediction(prediction_uid: str) -> bool:
    """Tell a worker that the prediction waits; return False when the broker could not be told.

    Never raises: the reconciler rings again for every row that stays unfinished.
    """
    return _sent(PREDICT_TASK, prediction_uid)


def enqueue_batch_prediction(prediction_uid: str) -> bool:
    """Tell a worker, in the lane of batches, that one more of their films waits; `turns` says which."""
    return _sent(PREDICT_TASK, prediction_uid, queue=BATCH_QUEUE)


def enqueue_unpacking(batch_uid: str) -> bool:
    """Tell a worker that an archive waits to be unpacked, or unpacked further."""
    return _sent(UNPACK_TASK, batch_uid, queue=UNPACK_QUEUE)


def _sent(task: str, uid: str, **lane: Any) -> bool:
    if _breaker.is_open():
        return False
    try:
        with _impatient_connection() as connection:
            current_app.send_task(task, args=[uid], ignore_result=True, connection=connection, **lane)
    except Exception as error:  # every transport raises its own kinds, and none may reach the uploader
        _breaker.trip()
        logger.warning(
            "The broker did not take the ring (%s); the reconciler will repeat it.", type(error).__name__
        )
        return False
    return True
