"""The worklist: films of a reader's projects that need a read by them, in the order they chose."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, OuterRef, Q, Subquery

from core.expressions import ExistsForRow
from diagnosis.models import BatchItem, Project, Study, StudyQuerySet
from reading.adjudication import with_reads_wanted
from reading.lists.cursors import beyond
from reading.lists.queries import (
    FilmRow,
    among,
    number_at_most,
    scores_hidden_from,
    tagged,
    with_sort_probability,
)
from reading.models import Adjudication, ReadingClaim, Review, Tag
from reading.reviews.claims import live_claims

OLDEST = "oldest"
# Column and whether the largest comes first. A score that is withheld from the reader sorts last.
ORDERS = {
    OLDEST: ("created_at", False),
    "newest": ("created_at", True),
    "subject": ("subject_code", False),
    "score": ("sort_probability", True),
}
_ANNOTATIONS = ("taken", "drafted", "reads_wanted")  # of `queue_of`
STATES = ("free", "drafted", "second")


@dataclass(frozen=True)
class WorklistQuery:
    """Filters and order of a reader's queue; an empty filter keeps every film."""

    project: str = ""
    state: str = ""
    order: str = OLDEST
    batch: str = ""
    tag: str = ""
    site: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> "WorklistQuery":
        """Read the query from request parameters or a session; invalid values are ignored."""
        state, order = given.get("state", ""), given.get("order", "")
        return cls(
            project=str(given.get("project", "")).replace("\x00", ""),
            state=state if state in STATES else "",
            order=order if order in ORDERS else OLDEST,
            batch=_uuid_or_nothing(given.get("batch", "")),
            tag=_key_or_nothing(given.get("tag", "")),
            site=_key_or_nothing(given.get("site", "")),
        )


def _key_or_nothing(value: object) -> str:
    text = str(value)
    return text if text.isascii() and text.isdecimal() and len(text) < 16 else ""


def _uuid_or_nothing(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""


@dataclass(frozen=True)
class WorklistPosition:
    """A film's position in a queue: uids of its neighbours that nobody else is reading, and films left.

    `left` is MOST_COUNTED + 1 where more are left.
    """

    previous: uuid.UUID | None
    following: uuid.UUID | None
    left: int


@dataclass(frozen=True)
class WorklistRow:
    """A film of a queue; `taken` by another reader, `drafted` by this one, reads wanted in all."""

    study: Study
    tags: Sequence[Tag]
    taken: bool
    drafted: bool
    reads_wanted: int


def rows_of(films: Iterable[FilmRow]) -> list[WorklistRow]:
    """Return the rows of films that come from `queue_of`."""
    return [
        WorklistRow(film.study, film.tags, **{name: getattr(film.study, name) for name in _ANNOTATIONS})
        for film in films
    ]


def queue_of(user: User, query: WorklistQuery = WorklistQuery()) -> StudyQuerySet:
    """Return the films that need a read by this reader, in order.

    Each has `taken` (somebody else is reading it), `drafted` (the reader has a draft) and `reads_wanted`. A
    film with all the signed reads that its project requires stays only for readers with a draft.
    """
    own = Review.objects.filter(study=OuterRef("pk"), reader=user).order_by()
    decided = Adjudication.objects.filter(study=OuterRef("pk"), adjudicator=user).order_by()
    claims = ReadingClaim.objects.filter(live_claims(), study=OuterRef("pk")).exclude(reader=user)
    films = with_reads_wanted(Study.objects.visible_to(user)).filter(
        ~ExistsForRow(own.signed()), ~ExistsForRow(decided)
    )
    films = films.annotate(taken=ExistsForRow(claims), drafted=ExistsForRow(own))
    waits = Q(reads_wanted=0) | Q(reads_signed__lt=F("reads_wanted")) | Q(drafted=True)
    return _ordered(_narrowed(films.filter(waits, wants_reads=True), query, user), user, query)


def _narrowed(films: StudyQuerySet, query: WorklistQuery, user: User) -> StudyQuerySet:
    if query.project:
        # By key, so that the index of a project's waiting films is used.
        films = films.filter(project=Subquery(Project.objects.filter(slug=query.project).values("pk")[:1]))
    if query.batch:
        films = among(films, BatchItem.objects.filter(batch__uid=query.batch))
    if query.site:
        films = films.filter(site=int(query.site))
    if query.tag:
        tag = Tag.objects.filter(pk=int(query.tag)).first()
        films = tagged(films, tag, user) if tag else films.none()
    if query.state == "drafted":
        return among(films, Review.objects.filter(reader=user, signed_at=None))
    conditions = {"free": Q(taken=False), "second": Q(reads_signed__gt=0)}
    return films.filter(conditions[query.state]) if query.state else films


def _ordered(films: StudyQuerySet, user: User, query: WorklistQuery) -> StudyQuerySet:
    column, descending = _order(user, query)
    if column == "sort_probability":
        films = with_sort_probability(films)
    return films.order_by(F(column).desc() if descending else F(column).asc(), "pk")


def _order(user: User, query: WorklistQuery) -> tuple[str, bool]:
    """Return the column and whether the largest comes first; scores never withheld have an index."""
    column, descending = ORDERS[query.order]
    is_open = column == "sort_probability" and not scores_hidden_from(user)
    return ("result_score" if is_open else column), descending


def position_of(user: User, study: Study, query: WorklistQuery = WorklistQuery()) -> WorklistPosition:
    """Return a film's position in the reader's queue, even if it has left it; the first follows the last."""
    queue = queue_of(user, query)
    free = queue.filter(Q(taken=False)).exclude(pk=study.pk)
    after, before = _beside(user, study, query)
    here = Study.objects.filter(pk=study.pk).annotate(
        following=_uid(free.filter(after)),
        first=_uid(free),
        previous=_uid(free.filter(before).reverse()),
        left=number_at_most(queue),
    )
    previous, following, first, left = here.values_list("previous", "following", "first", "left")[0]
    return WorklistPosition(previous=previous, following=following or first, left=left)


def _uid(films: StudyQuerySet) -> Subquery:
    return Subquery(films.values("uid")[:1])


def _beside(user: User, study: Study, query: WorklistQuery) -> tuple[Q, Q]:
    """Return the conditions for films after and before this one."""
    column, descending = _order(user, query)
    scored = with_sort_probability(Study.objects.visible_to(user).filter(pk=study.pk))
    is_score = query.order == "score"  # it may have come since the film was read from the database
    value = scored.values_list(column, flat=True)[0] if is_score else getattr(study, column)
    return (
        beyond(column, value, study.pk, descending=descending, pk_descending=False),
        beyond(column, value, study.pk, descending=not descending, pk_descending=True),
    )
