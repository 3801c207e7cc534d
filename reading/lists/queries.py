"""Query parts that several lists of films share: tags, bounded counts, scores to sort by."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, F, Func, IntegerField, QuerySet, Subquery, Value, When

from core.users import AnyUser
from diagnosis.models import Project, Study, StudyQuerySet
from diagnosis.models.study_state import WITHOUT_SCORE
from reading.models import FilmTag, Tag

MOST_COUNTED = 1000
FEW = 5000


def tagged(studies: StudyQuerySet, tag: Tag, user: AnyUser) -> StudyQuerySet:
    """Keep the films on which this person may see the tag."""
    return among(studies, FilmTag.objects.filter(tag=tag).visible_to(user))


def among(studies: StudyQuerySet, rows: QuerySet[Any]) -> StudyQuerySet:
    """Keep the films that are the `study` of one of these rows; most tags and batches have few.

    A few films are named by key, so that no database scans the others.
    """
    numbers = rows.filter(study__isnull=False).order_by().values_list("study_id", flat=True)
    few = list(numbers[: FEW + 1])
    return studies.filter(pk__in=few if len(few) <= FEW else numbers)


@dataclass(frozen=True)
class FilmRow:
    """A film of a list, with the tags on it that the person may see."""

    study: Study
    tags: Sequence[Tag] = ()


def rows_with_tags(films: Sequence[Study], user: AnyUser) -> list[FilmRow]:
    """Return each film with those tags on it that this person may see, each once. One query."""
    by_film: dict[int, dict[int, Tag]] = defaultdict(dict)
    put: Any = FilmTag.objects.filter(study__in=[film.pk for film in films]).visible_to(user)
    for one in put.select_related("tag").order_by("tag__name", "pk"):
        by_film[one.study_id][one.tag_id] = one.tag
    return [FilmRow(film, list(by_film[film.pk].values())) for film in films]


def rows_without_tags(films: Sequence[Study]) -> list[FilmRow]:
    """Return the films of somebody whose projects have no tags. No query."""
    return [FilmRow(film) for film in films]


def count_at_most(films: StudyQuerySet) -> int:
    """Count films up to MOST_COUNTED + 1, which means “more”."""
    return len(_to_count(films).values_list("pk", flat=True)[: MOST_COUNTED + 1])


def _to_count(films: StudyQuerySet) -> StudyQuerySet:
    """SQLite picks the index by the order asked for; PostgreSQL might sort all films for it."""
    return films.order_by(*(("created_at", "pk") if connection.vendor == "sqlite" else ()))


def number_at_most(films: StudyQuerySet) -> Subquery:
    """Return `count_at_most` as an expression, for a query that selects more."""
    some = Study.objects.filter(pk__in=_to_count(films).values("pk")[: MOST_COUNTED + 1]).order_by()
    number = Func(F("pk"), function="COUNT", output_field=IntegerField())  # of all rows, without groups
    return Subquery(some.annotate(number=number).values("number"))


def scores_hidden_from(user: AnyUser) -> bool:
    """Return whether any film's score may be withheld from this person."""
    return Project.objects.visible_to(user).hiding_results_from(user).exists()


def with_sort_probability(studies: StudyQuerySet) -> StudyQuerySet:
    """Add `sort_probability`, the newest calibrated one; withheld ones sort as missing."""
    shown = Case(When(ai_hidden=False, then=F("result_score")), default=Value(WITHOUT_SCORE))
    return studies.annotate(sort_probability=shown)
