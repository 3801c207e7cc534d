"""Whether other people's opinions of a film are withheld from somebody."""

from typing import TypeVar

from django.contrib.auth.models import User
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from accounts.roles import may_review
from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models import ResultDisclosure, Study, StudyQuerySet
from reading.models.settings import ReadingSettings

Films = TypeVar("Films", bound=QuerySet[Study])


def others_hidden_from(user: AnyUser, *, study: str = "") -> dict[str, Combinable]:
    """Return the annotation `others_hidden`: true where others' opinions are withheld from `user` now.

    Decided here alone, for querysets annotated with `ai_hidden`. `study` is the path from the queried model
    to the film. Opinions are withheld together with the AI result, and in projects with blind reads until
    the reader has signed, which a `ResultDisclosure` records.
    """
    if not isinstance(user, User) or not may_review(user):
        return {"others_hidden": ExpressionWrapper(Q(ai_hidden=True), output_field=BooleanField())}
    way = f"{study}__" if study else ""
    signed = ResultDisclosure.objects.filter(reader=user, study=OuterRef(f"{way}pk"))
    blind = ReadingSettings.objects.filter(reads_blind=True, project=OuterRef(f"{way}project"))
    hidden = Q(ai_hidden=True) | (ExistsForRow(blind) & ~ExistsForRow(signed))
    return {"others_hidden": ExpressionWrapper(hidden, output_field=BooleanField())}


OTHERS_SHOWN = Q(others_hidden=False)  # narrows what was annotated with `others_hidden`


def with_opinions(studies: Films, user: AnyUser) -> Films:
    """Add `others_hidden` to films that come from `visible_to`."""
    return studies.annotate(**others_hidden_from(user))


def others_withheld(study: Study) -> bool:
    """Return whether others' opinions of a film are withheld; always for one not from `with_opinions`."""
    return bool(getattr(study, "others_hidden", True))


def films_with_opinions(user: AnyUser) -> StudyQuerySet:
    """Return the visible films on which `user` may see the AI result and everybody's opinion."""
    return with_opinions(Study.objects.visible_to(user), user).filter(OTHERS_SHOWN)


def opinions_hidden(user: AnyUser, study: Study) -> bool:
    """Return whether others' opinions of this film are withheld from `user` now."""
    return not films_with_opinions(user).filter(pk=study.pk).exists()
