"""Whose turn it is: films of batches are read in turn by project, whichever of them the bell rang for."""

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
_EACH = 50  # films of each project that one look at the backlog takes in
_LOOK_AGAIN_SECONDS = 5.0  # so long another project's new films may go unseen
_NOTHING_THERE_SECONDS = 0.5  # so long an empty backlog is taken for empty


def claimable() -> Q:
    """Return the condition for rows that may be claimed: waiting, or left by a worker whose lease ran out."""
    left = Q(status=Status.RUNNING) & leases.expired()
    free = Q(status=Status.QUEUED) | left
    return free & Q(attempts__lt=settings.PREDICTION_MAX_ATTEMPTS)


class RoundRobin:
    """The films of batches that this worker will ask for next, one of each project in turn.

    Each worker keeps turns of its own, and all together are as fair as each of them. What another worker has
    taken meanwhile cannot be claimed any more, so being out of date costs a question and harms nothing.
    """

    def __init__(self) -> None:
        self._line: deque[tuple[int, str]] = deque()
        self._look_again_at = 0.0
        self._served: dict[int, int] = {}  # by project: the number of the turn it was served in

    def films(self) -> Iterator[str]:
        """Yield ids of waiting films in the order in which to ask for them; ends when none is left."""
        while True:
            if time.monotonic() > self._look_again_at:
                self._look()
            if not self._line:
                return
            project, uid = self._line.popleft()
            self._served[project] = max(self._served.values(), default=0) + 1
            if not self._line:
                self._look_again_at = 0.0
            yield uid

    def likely_next(self) -> str | None:
        """Return the film that `films` will yield next, unless another look changes it; None: not known."""
        try:
            return self._line[0][1]
        except IndexError:
            return None

    def _look(self) -> None:
        """Take in the oldest waiting films of each project, whoever was served least recently first.

        Among a project's they are taken in any order, so that workers seldom ask for the same film.
        """
        place = Window(RowNumber(), partition_by=F("study__project"), order_by=[F("queued_at"), F("pk")])
        unfinished = Prediction.objects.filter(status__in=[Status.QUEUED, Status.RUNNING], in_batch=True)
        rows = unfinished.filter(claimable()).annotate(place=place).filter(place__lte=_EACH).order_by("place")
        waiting: dict[int, list[tuple[int, str]]] = {}
        for project, uid in rows.values_list("study__project_id", "uid"):
            waiting.setdefault(project, []).append((project, str(uid)))
        for films in waiting.values():
            random.shuffle(films)
        projects = sorted(waiting, key=lambda project: self._served.get(project, 0))
        rounds = zip_longest(*(waiting[project] for project in projects))
        self._line = deque(film for each in rounds for film in each if film is not None)
        pause = _LOOK_AGAIN_SECONDS if self._line else _NOTHING_THERE_SECONDS
        self._look_again_at = time.monotonic() + pause


_round_robin = RoundRobin()


def likely_next() -> str | None:
    """Return the id of the batch film that this worker will probably ask for next; None: not known."""
    return _round_robin.likely_next()


def candidates(rung: str) -> Iterator[str]:
    """Yield the ids to ask for, in their order, when the bell has rung for the prediction `rung`.

    A film that was sent by itself is asked for and no other. A ring for a film of a batch means only that
    one more of them may be read: which one, the turns of the projects decide.
    """
    if Prediction.objects.filter(uid=rung, in_batch=True).exists():
        yield from _round_robin.films()
    yield rung
