"""Fair scheduling: workers take the films of batches round-robin by project."""

import random
import time
from collections import deque
from collections.abc import Iterator
from itertools import zip_longest

from django.conf import settings
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from diagnosis import leases
from diagnosis.models import Prediction

Status = Prediction.Status
_FILMS_PER_PROJECT = 50  # at each refill
_REFILL_SECONDS = 5.0  # how long another project's new films may go unnoticed
_EMPTY_REFILL_SECONDS = 0.5  # how long an empty backlog is taken for empty


def claimable() -> Q:
    """Return the condition for rows that may be claimed: queued, or abandoned by a worker."""
    abandoned = Q(status=Status.RUNNING) & leases.expired()
    free = Q(status=Status.QUEUED) | abandoned
    return free & Q(attempts__lt=settings.PREDICTION_MAX_ATTEMPTS)


class RoundRobin:
    """The films of batches that this worker will try to claim next, one of each project in turn.

    Each worker keeps its own list. A film that another worker has taken meanwhile cannot be claimed, so an
    outdated list costs one query and does no harm.
    """

    def __init__(self) -> None:
        self._upcoming: deque[tuple[int, str]] = deque()
        self._refill_at = 0.0
        self._served: dict[int, int] = {}  # by project: the number of the turn in which it was served

    def films(self) -> Iterator[str]:
        """Yield ids of queued films in the order in which to claim them; ends when none is left."""
        while True:
            if time.monotonic() > self._refill_at:
                self._refill()
            if not self._upcoming:
                return
            project, uid = self._upcoming.popleft()
            self._served[project] = max(self._served.values(), default=0) + 1
            if not self._upcoming:
                self._refill_at = 0.0
            yield uid

    def likely_next(self) -> str | None:
        """Return the film that `films` will yield next unless a refill changes it; None: not known."""
        try:
            return self._upcoming[0][1]
        except IndexError:
            return None

    def _refill(self) -> None:
        """Load the oldest queued films of each project; the project served least recently comes first.

        Those of one project are shuffled, so that workers seldom try the same film.
        """
        place = Window(RowNumber(), partition_by=F("study__project"), order_by=[F("queued_at"), F("pk")])
        unfinished = Prediction.objects.filter(status__in=[Status.QUEUED, Status.RUNNING], in_batch=True)
        rows = (
            unfinished.filter(claimable())
            .annotate(place=place)
            .filter(place__lte=_FILMS_PER_PROJECT)
            .order_by("place")
        )
        waiting: dict[int, list[tuple[int, str]]] = {}
        for project, uid in rows.values_list("study__project_id", "uid"):
            waiting.setdefault(project, []).append((project, str(uid)))
        for films in waiting.values():
            random.shuffle(films)
        projects = sorted(waiting, key=lambda project: self._served.get(project, 0))
        rounds = zip_longest(*(waiting[project] for project in projects))
        self._upcoming = deque(film for each in rounds for film in each if film is not None)
        pause = _REFILL_SECONDS if self._upcoming else _EMPTY_REFILL_SECONDS
        self._refill_at = time.monotonic() + pause


_round_robin = RoundRobin()


def likely_next() -> str | None:
    """Return the id of the batch film that this worker will probably claim next; None: not known."""
    return _round_robin.likely_next()


def candidates(prediction_uid: str) -> Iterator[str]:
    """Yield the ids to try, in order, for the message of one prediction.

    A film uploaded singly is the only candidate of its message. The message of a batch's film means only that
    one more of them may be analysed: the round robin decides which.
    """
    if Prediction.objects.filter(uid=prediction_uid, in_batch=True).exists():
        yield from _round_robin.films()
    yield prediction_uid
