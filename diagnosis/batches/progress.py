"""Progress of a batch as one person may see it: files by outcome, films by state and shown results."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, Value, When
from django.db.models.query import QuerySet

from core.users import AnyUser
from diagnosis.models import AI_SHOWN, Batch, BatchItem, Prediction, Study
from diagnosis.studies import search

Outcome, Status = BatchItem.Outcome, Prediction.Status


@dataclass(frozen=True)
class Progress:
    """Numbers of files and films of one batch.

    `total` is the larger of the announced number of files and those that `came`; each file is `to_come`,
    waiting, accepted, duplicate or refused. Films are `queued`, `running`, `failed` or `ready`. Ready ones
    count as `above` or `below` the operating point only where the person may see the AI result; the others
    are `hidden`.
    """

    total: int
    came: int
    to_come: int
    waiting: int
    accepted: int
    duplicate: int
    refused: int
    queued: int
    running: int
    failed: int
    ready: int
    above: int
    below: int
    hidden: int
    moved_at: datetime

    @property
    def done(self) -> int:
        """Files that need no further work."""
        return self.total - self.to_come - self.waiting - self.queued - self.running

    @property
    def percent(self) -> int:
        """Share of done files in per cent, 0 to 100; 100 only when all are done."""
        return 100 * self.done // self.total if self.total else 0


def progress_of(batch: Batch, user: AnyUser) -> Progress:
    """Count the batch for `user`, in two queries whatever its size."""
    files = dict(batch.items.order_by().values_list("outcome").annotate(Count("pk")))
    came = sum(files.values())
    still_open = batch.state in (Batch.State.RECEIVING, Batch.State.UNPACKING)
    total = max(came, batch.expected or 0) if still_open else came
    films = films_of(batch, user)
    columns = ["result_status", "shown_outcome"]
    states = films.order_by().values_list(*columns)
    rows = list(states.annotate(Count("pk", distinct=True), Max("predictions__finished_at")))
    counted = {(status, outcome): number for status, outcome, number, _ in rows}
    by_status = {
        status: sum(n for (one, _), n in counted.items() if one == status) for status in Status.values
    }
    above = counted.get((Status.SUCCEEDED, Prediction.Outcome.PNEUMONIA), 0)
    below = counted.get((Status.SUCCEEDED, Prediction.Outcome.NORMAL), 0)
    return Progress(
        total=total,
        came=came,
        to_come=total - came,
        waiting=files.get(Outcome.WAITING, 0),
        accepted=files.get(Outcome.ACCEPTED, 0),
        duplicate=files.get(Outcome.DUPLICATE, 0),
        refused=files.get(Outcome.REFUSED, 0),
        queued=by_status[Status.QUEUED],
        running=by_status[Status.RUNNING],
        failed=by_status[Status.FAILED],
        ready=by_status[Status.SUCCEEDED],
        above=above,
        below=below,
        hidden=by_status[Status.SUCCEEDED] - above - below,
        moved_at=max([batch.touched_at, *(last for *_, last in rows if last)]),
    )


def films_of(batch: Batch, user: AnyUser) -> QuerySet[Study]:
    """Return the batch's films that `user` may see, each with `shown_outcome`: "" where it is withheld."""
    films = Study.objects.visible_to(user).filter(pk__in=batch.items.values("study"))
    shown = Case(When(AI_SHOWN, then=F("result_outcome")), default=Value(""))
    return films.annotate(shown_outcome=shown)


def with_films(items: list[BatchItem], user: AnyUser) -> list[BatchItem]:
    """Give each item the attribute `film`: its study for display if `user` may see it, else None."""
    wanted = [item.study_id for item in items if item.study_id]
    films = {
        film.pk: film for film in search.for_display(Study.objects.visible_to(user).filter(pk__in=wanted))
    }
    for item in items:
        item.film = films.get(item.study_id or 0)  # type: ignore[attr-defined]  # for this page only
    return items
