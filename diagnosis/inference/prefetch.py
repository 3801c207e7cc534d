"""Prefetching: while the network computes one film, the file of the next is fetched and decoded."""

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
    """Return key and pixels of the film that is probably analysed next; None when none is queued."""
    queued = Prediction.objects.filter(status=Prediction.Status.QUEUED).select_related("study")
    likely = scheduling.likely_next()
    expected = queued.filter(uid=likely).first() if likely is not None else None
    expected = expected or queued.order_by("pk").first()
    return None if expected is None else (expected.study.pk, pixels_of(expected.study))


class Prefetcher:
    """Holds one film's decoded pixels for one worker.

    It claims no row and nobody waits for it: a wrong guess costs one decoding, a slow store the gain.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None  # created at first use: threads do not survive a fork
        self._next: Future[tuple[int, Grey] | None] | None = None

    def start(self) -> None:
        """Start to decode the film that is probably next, unless a decoding is still running."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "prefetch")
        if self._next is None or self._next.done():
            self._next = self._pool.submit(_decode_next_or_none)

    def take(self, study: Study) -> Grey | None:
        """Return the film's pixels if they are decoded, else None at once."""
        if self._next is None or not self._next.done():
            return None
        found, self._next = self._next.result(), None
        return found[1] if found is not None and found[0] == study.pk else None


def _decode_next_or_none() -> tuple[int, Grey] | None:
    try:
        return decode_next()
    except Exception as error:  # its own analysis will report the fault
        logger.debug("Nothing was prefetched: %s", type(error).__name__)
        return None
    finally:
        connection.close()
