"""Finding studies: by the state of their newest prediction, and by words that people type."""

import re
import uuid
from contextlib import suppress

from django.db.models import (
    Case,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    prefetch_related_objects,
)

from diagnosis.models import Prediction, Study, StudyQuerySet

_REFERENCE = re.compile(r"(?:PW-)?0*(\d{1,15})", re.IGNORECASE)
_SHA256_START = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)


def with_newest_result(studies: StudyQuerySet) -> StudyQuerySet:
    """Add `newest_status` and `newest_outcome`, of each study's newest prediction, to filter by.

    `studies` come from `visible_to`: a withheld result has no outcome to be found by.
    """
    newest = Prediction.objects.filter(study=OuterRef("pk")).order_by("-pk")
    return studies.annotate(
        newest_status=Subquery(newest.values("status")[:1]),
        newest_outcome=Case(
            When(ai_hidden=False, then=Subquery(newest.values("outcome")[:1])), default=Value("")
        ),
    )


def for_display(studies: StudyQuerySet) -> StudyQuerySet:
    """Fetch what a list shows of each study in a fixed number of queries, without maps and model cards."""
    return studies.select_related("project", "site", "uploaded_by").prefetch_related(_predictions())


def fetch_predictions(study: Study) -> None:
    """Fetch once what is shown of a single study's predictions, as `for_display` does for a list."""
    prefetch_related_objects([study], _predictions())


def _predictions() -> "Prefetch[str, QuerySet[Prediction], str]":
    shown = Prediction.objects.select_related("model_version").defer("cam", "model_version__card")
    return Prefetch("predictions", queryset=shown)


def matching(studies: StudyQuerySet, words: str) -> StudyQuerySet:
    """Keep the studies that every word fits: reference, subject code, uploader, id, start of SHA-256."""
    for word in words.split():
        studies = studies.filter(_fits(word))
    return studies


def _fits(word: str) -> Q:
    fits = Q(subject_code__icontains=word) | Q(uploaded_by__username__icontains=word)
    if reference := _REFERENCE.fullmatch(word):
        fits |= Q(pk=int(reference[1]))
    if _SHA256_START.fullmatch(word):
        fits |= Q(sha256__startswith=word.lower())
    with suppress(ValueError):
        fits |= Q(uid=uuid.UUID(word))
    return fits


def newest_first() -> StudyQuerySet:
    """Every study, newest first, ready to be narrowed by `visible_to`."""
    return Study.objects.order_by("-created_at", "-pk")
