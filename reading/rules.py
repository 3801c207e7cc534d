"""A project's reading rules: reads per film, blinding, adjudicators."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.roles import READER, may_administer, require
from audit import trail
from core.errors import Refused
from diagnosis.models import Project
from reading.models import ReadingSettings


class RulesRefused(Refused):
    """A rule is invalid."""


def rules_of(project: Project) -> ReadingSettings:
    """Return the project's rules, or unsaved defaults."""
    return ReadingSettings.objects.filter(project=project).first() or ReadingSettings(project=project)


def readers_of(project: Project) -> QuerySet[User]:
    """Return the active people with the role of a reader who work in the project, by name."""
    readers = User.objects.filter(is_active=True, groups__name=READER)
    works_in_it = Q() if project.open_to_all else Q(memberships__project=project)
    return readers.filter(works_in_it).distinct().order_by("username")


def set_rules(
    *, actor: User, project: Project, reads_per_film: int, reads_blind: bool, adjudicators: Iterable[User]
) -> ReadingSettings:
    """Set a project's rules. Raises NotAllowed for all but administrators, RulesRefused for invalid rules."""
    require(actor, may_administer, _("Only an administrator sets how a project is read."))
    people = sorted(adjudicators, key=lambda user: user.pk)
    if reads_per_film not in ReadingSettings.ReadsPerFilm.values:
        raise RulesRefused("reads_invalid", _("A film has 1 to 3 reads, or one by every reader."))
    if set(people) - set(readers_of(project)):
        raise RulesRefused("not_a_reader", _("Adjudicators are readers of the project."))
    with transaction.atomic():
        rules, _made = ReadingSettings.objects.update_or_create(
            project=project, defaults={"reads_per_film": reads_per_film, "reads_blind": reads_blind}
        )
        rules.adjudicators.set(people)
        trail.record(
            actor=actor,
            verb="reading_rules_set",
            target=project,
            reads_per_film=reads_per_film,
            reads_blind=reads_blind,
            adjudicators=[user.pk for user in people],
        )
    return rules
