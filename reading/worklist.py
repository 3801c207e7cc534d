"""A reader's queue: the films of their projects without their own signed read, oldest first."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q

from diagnosis.models import Study, StudyQuerySet
from reading.claims import live_claims
from reading.models import ReadingClaim, Review


@dataclass(frozen=True)
class Place:
    """Where a film stands in a queue: uids of its neighbours that nobody else is reading, films left."""

    previous: uuid.UUID | None
    following: uuid.UUID | None
    left: int


def queue_of(user: User) -> StudyQuerySet:
    """Return the films that wait for this reader, each with `taken` (somebody else is reading it)."""
    signed = Review.objects.signed().filter(study=OuterRef("pk"), reader=user).order_by()
    claims = ReadingClaim.objects.filter(live_claims(), study=OuterRef("pk")).exclude(reader=user)
    waiting = Study.objects.visible_to(user).filter(~Exists(signed))
    return waiting.annotate(taken=Exists(claims)).order_by("created_at", "pk")


def place_of(user: User, study: Study) -> Place:
    """Return a film's place in the reader's queue, even if it has left it. After the last comes the first."""
    queue = queue_of(user)
    free = queue.filter(Q(taken=False)).exclude(pk=study.pk)
    moment = study.created_at
    after = Q(created_at__gt=moment) | Q(created_at=moment, pk__gt=study.pk)
    following = free.filter(after).first() or free.first()
    previous = free.exclude(after).last()
    return Place(
        previous=previous.uid if previous else None,
        following=following.uid if following else None,
        left=queue.count(),
    )
