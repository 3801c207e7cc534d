"""What several lists of films are narrowed and ordered by."""

from django.db.models import Case, Exists, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce

from diagnosis.models import Prediction, StudyQuerySet
from diagnosis.roles import AnyUser
from reading.models import FilmTag, Tag


def tagged(studies: StudyQuerySet, tag: Tag, user: AnyUser) -> StudyQuerySet:
    """Keep the films on which this person may see the tag."""
    put = FilmTag.objects.filter(tag=tag, study=OuterRef("pk")).visible_to(user)
    return studies.filter(Exists(put.order_by()))


def with_sort_probability(studies: StudyQuerySet) -> StudyQuerySet:
    """Add `sort_probability`, the newest calibrated one; what is withheld sorts as if there were none."""
    newest = Prediction.objects.filter(study=OuterRef("pk")).order_by("-pk")
    shown = Case(When(ai_hidden=False, then=Subquery(newest.values("calibrated_probability")[:1])))
    return studies.annotate(sort_probability=Coalesce(shown, Value(-1.0)))
