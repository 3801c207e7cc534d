"""Films leave the reading room by way of the trash: hidden from everybody, kept on disk, and restored."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_administer, require
from audit import trail
from core.errors import Conflict
from diagnosis.models import Study


def move_to_trash(*, actor: User, study: Study) -> None:
    """Hide the study from everybody. Policy: administrators only, since reviews hang on it.

    Raises NotAllowed for anybody else.
    """
    require(actor, may_administer, _("Only an administrator can delete a film."))
    with transaction.atomic():
        study.deleted_at = timezone.now()
        study.save(update_fields=["deleted_at"])
        trail.record(actor=actor, verb="study_deleted", target=study)


def films_in_trash(user: User) -> QuerySet[Study]:
    """Return the films in the trash, the newest there first; only for administrators (NotAllowed)."""
    require(user, may_administer, _("Only an administrator can look into the trash."))
    trashed = Study.objects.filter(deleted_at__isnull=False)
    return trashed.select_related("project", "site", "uploaded_by").order_by("-deleted_at", "-pk")


def restore(*, actor: User, study: Study) -> None:
    """Take a film out of the trash, with its result and reviews.

    Raises NotAllowed for all but administrators; Conflict where it is in the trash no more, or where the same
    film was put into the project again meanwhile.
    """
    require(actor, may_administer, _("Only an administrator can restore a film."))
    with transaction.atomic():
        trashed = Study.objects.select_for_update().filter(pk=study.pk, deleted_at__isnull=False).first()
        if trashed is None:
            raise Conflict("not_in_trash", _("This film is in the trash no more."))
        same = Study.objects.filter(project=trashed.project, sha256=trashed.sha256, deleted_at__isnull=True)
        if (twin := same.first()) is not None:
            message = _("The same film is in the project again, as %(film)s. Delete that one first.")
            raise Conflict("duplicate", message % {"film": twin.reference})
        trashed.deleted_at = None
        trashed.save(update_fields=["deleted_at"])
        trail.record(actor=actor, verb="study_restored", target=trashed)
    study.refresh_from_db(fields=["deleted_at"])
