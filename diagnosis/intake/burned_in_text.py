"""Films whose pixels may show a name: the queue for administrators, who clear or remove each."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.roles import may_administer, require
from audit import trail
from core.errors import Conflict
from diagnosis.models import Study
from diagnosis.models.dicom_fields import NOT_LOOKED_AT
from diagnosis.studies.trash import move_to_trash


def films_to_check(user: User) -> QuerySet[Study]:
    """Return the films that nobody has checked yet, oldest first; only for administrators (NotAllowed)."""
    _check(user)
    waiting = Study.objects.visible_to(user).filter(burned_in_text__in=NOT_LOOKED_AT)
    return waiting.select_related("project", "uploaded_by").order_by("created_at", "pk")


def clear(*, actor: User, study: Study) -> None:
    """Record that nothing identifying is burned into the film; it leaves the queue.

    Raises NotAllowed for all but administrators, Conflict where the film was already checked.
    """
    _check(actor)
    with transaction.atomic():
        cleared = Study.objects.filter(pk=study.pk, burned_in_text__in=NOT_LOOKED_AT, deleted_at__isnull=True)
        if not cleared.update(burned_in_text=Study.BurnedInText.CLEARED):
            raise Conflict("not_waiting", _("This film does not wait for a check of its text any more."))
        trail.record(actor=actor, verb="burned_in_text_cleared", target=study, was=study.burned_in_text)


def remove(*, actor: User, study: Study) -> None:
    """Record that something identifying is burned into the film, and move it to the trash.

    Raises NotAllowed for all but administrators, Conflict where the film was already checked.
    """
    _check(actor)
    with transaction.atomic():
        current = Study.objects.select_for_update().filter(pk=study.pk, deleted_at__isnull=True).first()
        if current is None or not current.may_show_a_name:
            raise Conflict("not_waiting", _("This film does not wait for a check of its text any more."))
        trail.record(actor=actor, verb="burned_in_text_found", target=study, was=current.burned_in_text)
        move_to_trash(actor=actor, study=current)


def _check(user: User) -> None:
    require(user, may_administer, _("Only an administrator can check films for burned-in text."))
