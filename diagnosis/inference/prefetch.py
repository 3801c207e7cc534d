"""Reading ahead: while the network computes one film, the next one's file is fetched and decoded."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from diagnosis.inference import scheduling
from diagnosis.models import Prediction, Study
from diagnosis.storage.display_copy import pixels_of

logger = logging.getLogger(__name__)
Grey = NDArray[np.uint8]


def decode_next() -> tuple[int, Grey] | None:
    """Return the study that is probably read next, by its key, and its film; None when none waits."""
    waiting = Prediction.objects.filter(status=Prediction.Status.QUEUED).select_related("study")
    likely = scheduling.likely_next()
    expected = waiting.filter(uid=likely).first() if likely is not None else None
    expected = expected or waiting.order_by("pk").first()
    return None if expected is None else (expected.study.pk, pixels_of(expected.study))


class Prefetcher:
    """One film's pixels before its turn, for one worker.

    Nothing is claimed and nothing is waited for: a wrong guess costs a decoding, a slow store the gain.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None  # made at first use: threads do not survive a fork
        self._next: Future[tuple[int, Grey] | None] | None = None

    def begin(self) -> None:
        """Start to decode the film that is probably next, unless the last one is still being decoded."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "read-ahead")
        if self._next is None or self._next.done():
            self._next = self._pool.submit(_quietly_decode_next)

    def take(self, study: Study) -> Grey | None:
        """Return the study's film if it is there already, else None at once."""
        if self._next is None or not self._next.done():
            return None
        found, self._next = self._next.result(), None
        return found[1] if found is not None and found[0] == study.pk else None


def _quietly_decode_next() -> tuple[int, Grey] | None:
    try:
        return decode_next()
    except Exception as error:  # the film's own turn tells what is wrong with it
        logger.debug("Nothing was read ahead: %s", type(error).__name__)
        return None
    finally:
        connection.close()
