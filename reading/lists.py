"""What several lists of films are narrowed and ordered by."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Case, Exists, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce

from diagnosis.models import Prediction, Study, StudyQuerySet
from diagnosis.roles import AnyUser
from reading.models import FilmTag, Tag


def tagged(studies: StudyQuerySet, tag: Tag, user: AnyUser) -> StudyQuerySet:
    """Keep the films on which this person may see the tag."""
    put = FilmTag.objects.filter(tag=tag, study=OuterRef("pk")).visible_to(user)
    return studies.filter(Exists(put.order_by()))


def put_tags(films: Iterable[Study], user: AnyUser) -> None:
    """Give each film its `shown_tags`: those on it that this person may see, each once. One query."""
    by_film: dict[int, dict[int, Tag]] = defaultdict(dict)
    put: Any = FilmTag.objects.filter(study__in=[film.pk for film in films]).visible_to(user)
    for one in put.select_related("tag").order_by("tag__name", "pk"):
        by_film[one.study_id][one.tag_id] = one.tag
    for film in films:
        film.shown_tags = list(by_film[film.pk].values())  # type: ignore[attr-defined]  # for the list


def with_sort_probability(studies: StudyQuerySet) -> StudyQuerySet:
    """Add `sort_probability`, the newest calibrated one; what is withheld sorts as if there were none."""
    newest = Prediction.objects.filter(study=OuterRef("pk")).order_by("-pk")
    shown = Case(When(ai_hidden=False, then=Subquery(newest.values("calibrated_probability")[:1])))
    return studies.annotate(sort_probability=Coalesce(shown, Value(-1.0)))
