"""Discordance: films on which readers and AI, or readers, differ; and the recorded reasons."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.roles import may_administer, may_review
from audit import trail
from core.errors import NotAllowed, Refused
from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models import Prediction, Study, StudyQuerySet
from diagnosis.studies import search
from reading.models import Adjudication, DiscordanceReason, Review, films_with_opinions

# Shown on the page: a confident result contradicted by a sure reader.
CONFIDENT_FROM = 0.9
CONFIDENT_TO = 0.1
SURE_FROM = 80
MAX_NOTE = 1000

Kind, Reason = DiscordanceReason.Kind, DiscordanceReason.Reason
Row = TypeVar("Row", Review, DiscordanceReason, Adjudication)
_NORMAL, _PNEUMONIA = Review.Finding.NORMAL, Review.Finding.PNEUMONIA


class ReasonRefused(Refused):
    """A field of the reason is invalid, or the film is not discordant in this way."""


def discordant(user: AnyUser, kind: str = "") -> StudyQuerySet:
    """Return the discordant films on which the person may see every opinion, newest first, with their kinds.

    Only signed first reads count; “other” differs from other readers' findings but not from the AI, which
    tells only pneumonia or not; “not readable” never counts. `kind` narrows to one of Kind.
    """
    films = films_with_opinions(user).filter(reads_signed__gt=0)
    conditions = _conditions()
    films = films.annotate(**{name: condition for name, condition in conditions.items()})
    # The condition itself, not its annotation, so that the index of a kind's films is used.
    wanted = conditions[kind] if kind else Q(*((name, True) for name in conditions), _connector=Q.OR)
    return films.filter(wanted).order_by("-pk")


def _conditions() -> dict[str, Q]:
    normal, pneumonia = _has_read(finding=_NORMAL), _has_read(finding=_PNEUMONIA)
    above, below = Q(result_outcome=Prediction.Outcome.PNEUMONIA), Q(result_outcome=Prediction.Outcome.NORMAL)
    sure_normal = _has_read(finding=_NORMAL, confidence__gte=SURE_FROM)
    sure_pneumonia = _has_read(finding=_PNEUMONIA, confidence__gte=SURE_FROM)
    return {
        Kind.READER_AI.value: above & normal | below & pneumonia,
        Kind.READERS.value: Q(reads_differ=True),
        Kind.CONFIDENT_WRONG.value: Q(result_score__gte=CONFIDENT_FROM) & sure_normal
        | Q(result_score__gte=0, result_score__lte=CONFIDENT_TO) & sure_pneumonia,
    }


def _has_read(**fields: object) -> Q:
    return Q(ExistsForRow(Review.objects.reads().filter(study=OuterRef("pk"), **fields).order_by()))


@dataclass(frozen=True)
class DiscordantFilm:
    """A film of the list: its kinds of discordance, signed reads, reasons given, and adjudications."""

    study: Study
    kinds: Sequence[DiscordanceReason.Kind]
    reads: Sequence[Review]
    reasons: Sequence[DiscordanceReason]
    decisions: Sequence[Adjudication]


def listed(films: StudyQuerySet) -> list[DiscordantFilm]:
    """Return films from `discordant` with what the list shows of each, in a fixed number of queries."""
    found = list(search.for_display(films))
    reads = _by_film(Review.objects.reads().select_related("reader").order_by("pk"), found)
    reasons = _by_film(DiscordanceReason.objects.select_related("given_by"), found)
    decisions = _by_film(Adjudication.objects.select_related("adjudicator"), found)
    return [
        DiscordantFilm(
            study=film,
            kinds=[kind for kind in Kind if getattr(film, kind.value)],
            reads=reads[film.pk],
            reasons=reasons[film.pk],
            decisions=decisions[film.pk],
        )
        for film in found
    ]


def _by_film(rows: QuerySet[Row], films: Sequence[Study]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows.filter(study__in=[film.pk for film in films]) if films else ():
        found[row.study_id].append(row)
    return found


def may_give_reasons(user: AnyUser) -> bool:
    """Readers and administrators may."""
    return may_review(user) or may_administer(user)


def give_reason(*, actor: User, study: Study, kind: str, reason: str, note: str = "") -> DiscordanceReason:
    """Record why a film is discordant; an earlier reason is kept beside it.

    Raises NotAllowed for people without the role, ReasonRefused for an invalid reason.
    """
    if not may_give_reasons(actor):
        raise NotAllowed("no_reasons", _("Readers and administrators record reasons. Ask an administrator."))
    if kind not in Kind.values or reason not in Reason.values:
        raise ReasonRefused("reason_invalid", _("Choose a kind and a reason from the lists."))
    if len(note) > MAX_NOTE:
        message = _("A note has at most %(most)d characters.") % {"most": MAX_NOTE}
        raise ReasonRefused("note_too_long", message)
    if not discordant(actor, kind).filter(pk=study.pk).exists():
        raise ReasonRefused("not_discordant", _("This film is not on the list in this way, or not any more."))
    with transaction.atomic():
        given = DiscordanceReason.objects.create(
            study=study, kind=kind, reason=reason, note=note.strip(), given_by=actor
        )
        trail.record(actor=actor, verb="discordance_reason_given", target=study, kind=kind, reason=reason)
    return given
