"""Reading claims: taken when a film is opened, renewed while the reader works, expiring, or taken over."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_review, require
from audit import trail
from core.errors import NotAllowed
from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models import Study
from reading.models import ReadingClaim

CLAIM_DURATION = timedelta(minutes=5)


def live_claims() -> Q:
    """Return the condition for claims that have not expired."""
    return Q(expires_at__gt=timezone.now())


def held_by(user: AnyUser) -> ExistsForRow:
    """Return the annotation whether this person has a live claim on the film."""
    return ExistsForRow(ReadingClaim.objects.filter(live_claims(), study=OuterRef("pk"), reader_id=user.pk))


def claim_of_another(user: AnyUser, study: Study) -> ReadingClaim | None:
    """Return somebody else's live claim on the film."""
    claims = ReadingClaim.objects.filter(live_claims(), study=study).select_related("reader")
    return claims.exclude(reader_id=user.pk).first()


def claim_film(*, actor: User, study: Study, take_over: bool = False) -> bool:
    """Claim the film for CLAIM_DURATION from now; return False while somebody else has a live claim.

    `take_over` ends that claim. Taking and taking over are audited, renewing is not. Raises NotAllowed for
    people who may not review the film.
    """
    sentence = _("Your account may not review this film. Ask an administrator.")
    require(actor, may_review, sentence)
    ends = timezone.now() + CLAIM_DURATION
    with transaction.atomic():
        visible = Study.objects.visible_to(actor).filter(pk=study.pk)
        if not visible.select_for_update(of=("self",)):  # serialises two readers at once
            raise NotAllowed("not_a_reader", sentence)
        claim = ReadingClaim.objects.filter(study=study).first()
        is_live = claim is not None and claim.expires_at > timezone.now()
        is_own = claim is not None and claim.reader_id == actor.pk
        other = claim if is_live and not is_own else None
        if other is not None and not take_over:
            return False
        if is_live and is_own:
            return renew_claim(actor=actor, study=study)
        taken = {"reader": actor, "taken_at": timezone.now(), "expires_at": ends}
        if claim is None:
            ReadingClaim.objects.create(study=study, **taken)
        else:
            ReadingClaim.objects.filter(study=study).update(**taken)
        verb = "reading_taken_over" if other else "reading_begun"
        details = {"from_reader": other.reader_id} if other else {}
        trail.record(actor=actor, verb=verb, target=study, **details)
    return True


def renew_claim(*, actor: User, study: Study) -> bool:
    """Renew the reader's own claim; False when it has expired or was taken over."""
    own = ReadingClaim.objects.filter(study=study, reader=actor)
    return bool(own.filter(live_claims()).update(expires_at=timezone.now() + CLAIM_DURATION))


def release_claim(*, actor: User, study: Study) -> None:
    """End the reader's own claim, for example once they have signed."""
    ReadingClaim.objects.filter(study=study, reader=actor).delete()
