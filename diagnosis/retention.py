"""Films leave the reading room by way of the trash: hidden from everybody, kept on disk."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis import audit
from diagnosis.errors import NotAllowed
from diagnosis.models import Study
from diagnosis.roles import may_administer


def move_to_trash(*, actor: User, study: Study) -> None:
    """Hide the study from everybody. Policy: administrators only, since reviews hang on it.

    Raises NotAllowed for anybody else.
    """
    if not may_administer(actor):
        raise NotAllowed("not_an_administrator", _("Only an administrator can delete a film."))
    with transaction.atomic():
        study.deleted_at = timezone.now()
        study.save(update_fields=["deleted_at"])
        audit.record(actor=actor, verb="study_deleted", target=study)
