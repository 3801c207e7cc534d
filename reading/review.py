"""The verb of reading: review_study adds an opinion and keeps every earlier one."""

from django.contrib.auth.models import User
from django.db import transaction

from diagnosis import audit
from diagnosis.errors import NotAllowed, Refused
from diagnosis.models import Prediction, Study
from diagnosis.roles import may_review
from reading.models import Review

MAX_COMMENT = 4000


class ReviewRefused(Refused):
    """The review's fields do not make sense."""


def review_study(
    *,
    actor: User,
    study: Study,
    finding: str,
    confidence: int,
    comment: str = "",
    agrees_with_ai: bool | None = None,
) -> Review:
    """Store the reader's opinion on a study that they may see. Their earlier one is superseded, not changed.

    `confidence` is 0 to 100. Where the AI has a result, `agrees_with_ai` must be given; where it has none,
    it must not. Raises NotAllowed or ReviewRefused.
    """
    if not may_review(actor):
        raise NotAllowed("not_a_reader", "Your account may not review films. Ask an administrator.")
    if not Study.objects.visible_to(actor).filter(pk=study.pk).exists():
        raise NotAllowed("not_a_member", "You are not a member of this film's project.")
    _check(finding, confidence, comment)
    prediction = study.newest_prediction
    if prediction is not None and prediction.status != Prediction.Status.SUCCEEDED:
        prediction = None
    if (prediction is None) != (agrees_with_ai is None):
        message = (
            "Say whether you agree with the AI." if prediction else "There is no AI result to agree with yet."
        )
        raise ReviewRefused("agreement_invalid", message)
    return _store(
        actor=actor,
        study=study,
        prediction=prediction,
        finding=finding,
        confidence=confidence,
        comment=comment.strip(),
        agrees_with_ai=agrees_with_ai,
    )


def _check(finding: str, confidence: int, comment: str) -> None:
    if finding not in Review.Finding.values:
        raise ReviewRefused("finding_invalid", f"Choose a finding: {', '.join(Review.Finding.values)}.")
    if not 0 <= confidence <= 100:
        raise ReviewRefused("confidence_invalid", "Confidence is a whole number from 0 to 100.")
    if len(comment) > MAX_COMMENT:
        raise ReviewRefused("comment_too_long", f"A comment has at most {MAX_COMMENT} characters.")


def _store(
    *,
    actor: User,
    study: Study,
    prediction: Prediction | None,
    finding: str,
    confidence: int,
    comment: str,
    agrees_with_ai: bool | None,
) -> Review:
    with transaction.atomic():
        Study.objects.select_for_update().get(
            pk=study.pk
        )  # two reviews by one reader at once: one after the other
        earlier = Review.objects.filter(study=study, reader=actor, is_current=True).first()
        if earlier is not None:
            Review.objects.filter(pk=earlier.pk).update(is_current=False)
        review = Review.objects.create(
            study=study,
            prediction=prediction,
            reader=actor,
            agrees_with_ai=agrees_with_ai,
            finding=finding,
            confidence=confidence,
            comment=comment,
            supersedes=earlier,
        )
        audit.record(
            actor=actor,
            verb="review_saved",
            target=study,
            finding=finding,
            confidence=confidence,
            agrees_with_ai=agrees_with_ai,
            supersedes=str(earlier.uid) if earlier else None,
        )
    return review
