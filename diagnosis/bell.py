"""Rings Celery with a prediction's id. Losing a ring loses nothing: the row is the queue."""

import logging
import threading
import time
from typing import Any

from celery import current_app

logger = logging.getLogger(__name__)

PREDICT_TASK = "diagnosis.tasks.predict"
_PAUSE_SECONDS = 10.0
_IMPATIENCE = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "max_retries": 0}


class _Breaker:
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


_breaker = _Breaker()


def _impatient_connection() -> Any:
    """Return a connection of its own that gives up before the uploader does.

    The pool's connections have the worker's patience: with a frozen Redis they try, sleep and try again, 6 s.
    """
    connection = current_app.connection_for_write()
    connection.transport_options = {**(connection.transport_options or {}), **_IMPATIENCE}
    return connection


def ring(prediction_uid: str) -> bool:
    """Tell a worker that the prediction waits; return False when the broker could not be told.

    Never raises: the reconciler rings again for every row that stays unfinished.
    """
    if _breaker.is_open():
        return False
    try:
        with _impatient_connection() as connection:
            current_app.send_task(
                PREDICT_TASK, args=[prediction_uid], ignore_result=True, connection=connection
            )
    except Exception as error:  # every transport raises its own kinds, and none may reach the uploader
        _breaker.trip()
        logger.warning(
            "The broker did not take the ring (%s); the reconciler will repeat it.", type(error).__name__
        )
        return False
    return True
