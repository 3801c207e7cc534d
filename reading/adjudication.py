"""Adjudication: films whose signed reads differ, who may decide them, and the decision."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.roles import may_review, require
from audit import trail
from core.errors import Conflict, Refused
from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models import ResultDisclosure, Study, StudyQuerySet
from reading.models import Adjudication, ReadingSettings, Review

MAX_RATIONALE = 2000
Basis = Adjudication.Basis


class AdjudicationRefused(Refused):
    """A field of the decision is invalid."""


def with_reads_wanted(films: StudyQuerySet) -> StudyQuerySet:
    """Add `reads_wanted`, the project's number of reads per film (0: one by every reader)."""
    wanted = F("project__reading_settings__reads_per_film")
    return films.annotate(reads_wanted=Coalesce(wanted, 0))


def films_to_decide(user: AnyUser) -> StudyQuerySet:
    """Return the films that this person may adjudicate, oldest first, each with `decided` and `own_read`.

    Their signed reads are complete and differ. The adjudicators that the project names may decide, whether
    they have read the film or not; where it names none, the film's readers, who see each other's reads.
    An adjudicator who has not read the film learns nothing else from this list.
    """
    if not isinstance(user, User) or not may_review(user):
        return Study.objects.none()
    own = Review.objects.reads().filter(study=OuterRef("pk"), reader=user).order_by()
    named = ReadingSettings.objects.filter(project=OuterRef("project"), adjudicators__isnull=False)
    films = with_reads_wanted(Study.objects.visible_to(user)).filter(reads_differ=True)
    films = films.filter(Q(reads_signed__gte=F("reads_wanted"))).annotate(own_read=ExistsForRow(own))
    films = films.filter(
        ExistsForRow(named.filter(adjudicators=user)) | (~ExistsForRow(named) & ExistsForRow(own))
    )
    decisions = Adjudication.objects.filter(study=OuterRef("pk")).order_by()
    return films.annotate(decided=ExistsForRow(decisions)).order_by("created_at", "pk")


def adjudicate(*, actor: User, study: Study, finding: str, rationale: str) -> Adjudication:
    """Record the final finding of a film whose signed reads differ; the caller has confirmed the password.

    From then on the adjudicator may see the AI result and all opinions. An earlier decision is kept. Raises
    NotAllowed for people without the role, Conflict for a film that is not theirs to decide,
    AdjudicationRefused for an unknown finding or a rationale that is missing or too long.
    """
    require(actor, may_review, _("Your account may not adjudicate films. Ask an administrator."))
    rationale = rationale.strip()
    if finding not in Review.Finding.values:
        raise AdjudicationRefused("finding_invalid", _("Choose a finding of the list."))
    if not 0 < len(rationale) <= MAX_RATIONALE:
        message = _("Give your reasons, in at most %(most)d characters.") % {"most": MAX_RATIONALE}
        raise AdjudicationRefused("rationale_invalid", message)
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        film = films_to_decide(actor).filter(pk=study.pk).first()
        if film is None:
            raise Conflict("not_to_decide", _("This film does not wait for your adjudication."))
        basis = Basis.CONSENSUS if getattr(film, "own_read", False) else Basis.THIRD_READER
        decision = Adjudication.objects.create(
            study=film, adjudicator=actor, basis=basis, finding=finding, rationale=rationale
        )
        ResultDisclosure.objects.get_or_create(study=film, reader=actor)
        trail.record(actor=actor, verb="adjudicated", target=film, finding=finding, basis=basis.value)
    return decision
