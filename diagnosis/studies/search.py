"""Finds films by the state of their newest prediction and by words that people type."""

import re
import uuid
from contextlib import suppress

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from core.users import AnyUser
from diagnosis.models import AI_SHOWN, Prediction, Study, StudyQuerySet

_REFERENCE = re.compile(r"(?:PW-)?0*(\d{1,15})", re.IGNORECASE)
_SHA256_START = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)
_LAST = "\U0010ffff"  # sorts after every character
_MOST_WORDS = 8
_FEW = 1000  # films that a query lists by their id


def with_outcome(studies: StudyQuerySet, outcome: str) -> StudyQuerySet:
    """Keep the films with this outcome where it is not withheld; uses its index."""
    return studies.filter(AI_SHOWN, result_outcome=outcome)


def for_display(studies: StudyQuerySet) -> StudyQuerySet:
    """Fetch what a list shows of each film in a fixed number of queries, without maps and model cards."""
    return studies.select_related("project", "site", "uploaded_by").prefetch_related(_predictions())


def films_for(user: AnyUser) -> QuerySet[Study]:
    """Return the films that `user` may see, with all that a film's own page shows of them."""
    predictions = Prediction.objects.select_related("model_version")
    return (
        Study.objects.visible_to(user)
        .select_related("project", "site", "uploaded_by")
        .prefetch_related(Prefetch("predictions", queryset=predictions))
    )


def fetch_predictions(study: Study) -> None:
    """Fetch the predictions of a single film once, as `for_display` does for a list."""
    prefetch_related_objects([study], _predictions())


def _predictions() -> "Prefetch[str, QuerySet[Prediction], str]":
    shown = Prediction.objects.select_related("model_version").defer("cam", "model_version__card")
    return Prefetch("predictions", queryset=shown)


def matching(studies: StudyQuerySet, words: str) -> StudyQuerySet:
    """Keep the films that match every word: reference, id, or start of subject code, uploader or SHA-256.

    A code is found as typed, in capitals and in small letters. Every condition has an index; where few films
    match a word they are listed by id, so that no long list is scanned.
    """
    for word in words.split()[:_MOST_WORDS]:
        films = Study.objects.filter(_fits(word)).order_by().values_list("pk", flat=True)
        found = list(films[: _FEW + 1])
        studies = studies.filter(Q(pk__in=found) if len(found) <= _FEW else _fits(word, many=True))
    return studies


def _fits(word: str, *, many: bool = False) -> Q:
    """Return the condition; for `many` films without the codes' index, since the list's order is faster."""
    fits = Q(subject_code__istartswith=word) if many else Q()
    for spelling in sorted({word, word.upper(), word.lower()} if not many else ()):
        fits |= _begins("subject_code", spelling)
    people = User.objects.filter(username__istartswith=word).values_list("pk", flat=True)
    fits |= Q(uploaded_by__in=list(people[:_FEW]))
    if reference := _REFERENCE.fullmatch(word):
        fits |= Q(pk=int(reference[1]))
    if _SHA256_START.fullmatch(word):
        fits |= _begins("sha256", word.lower())
    with suppress(ValueError):
        fits |= Q(uid=uuid.UUID(word))
    return fits


def _begins(column: str, text: str) -> Q:
    """Return the condition that a column starts with this, in the form that the database has an index for."""
    if connection.vendor == "sqlite":  # its LIKE ignores case and the index
        return Q(**{f"{column}__gte": text, f"{column}__lt": text + _LAST})
    return Q(**{f"{column}__startswith": text})


def newest_first() -> StudyQuerySet:
    """Return every film, newest first, to be narrowed by `visible_to`."""
    return Study.objects.order_by("-created_at", "-pk")
