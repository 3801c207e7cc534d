"""Reviews: review_study adds an opinion, sign_review makes one final; nothing is overwritten."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import may_review, require
from audit import trail
from core.errors import Conflict, NotAllowed, Refused
from diagnosis.models import Prediction, ResultDisclosure, Study
from diagnosis.studies.blinding import shown_result
from reading.models import Review
from reading.region import Region
from reading.reviews.claims import release_claim

MAX_COMMENT = 4000


class ReviewRefused(Refused):
    """A field of the review is invalid."""


@dataclass(frozen=True)
class ReadingTime:
    """How long a reader took, in whole seconds; None where it was not measured.

    The server measures `open_seconds` from rendering the form to receiving it; the page counts
    `active_seconds`, those of them in which the reader worked.
    """

    open_seconds: int | None = None
    active_seconds: int | None = None


def review_study(
    *,
    actor: User,
    study: Study,
    finding: str,
    confidence: int,
    comment: str = "",
    agrees_with_ai: bool | None = None,
    region: Region | None = None,
    time: ReadingTime = ReadingTime(),
    sign: bool = False,
) -> Review:
    """Store the reader's opinion on a film that they may see; their earlier one is superseded, not changed.

    `confidence` is 0 to 100. `agrees_with_ai` is required if and only if the reader may see an AI result now.
    The review is a draft, or final with `sign`: the caller has confirmed the password then. After a signed
    read every opinion is an addendum to it. Raises NotAllowed, ReviewRefused, RegionRefused.
    """
    study = _film_of(actor, study)
    _check(finding, confidence, comment)
    prediction = shown_result(study)
    _check_agreement(study, prediction, agrees_with_ai)
    opinion = {
        "finding": finding,
        "confidence": confidence,
        "comment": comment.strip(),
        "agrees_with_ai": agrees_with_ai,
        "prediction": prediction,
        **_region_columns(region),
    }
    with transaction.atomic():
        review = _add(actor=actor, study=study, opinion=opinion, time=time)
        if sign:
            _sign(actor, review)
    return review


def sign_review(*, actor: User, review: Review) -> None:
    """Make one's own current draft final, unchanged; the caller has confirmed the password.

    From then on the reader may see the film's AI result. Raises NotAllowed for anybody else's review,
    Conflict for one that is signed already or has been superseded.
    """
    if review.reader_id != actor.pk:
        raise NotAllowed("not_your_review", _("Only its own reader can sign a review."))
    _film_of(actor, review.study)
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=review.study_id)
        _sign(actor, Review.objects.get(pk=review.pk))
    review.refresh_from_db()


def _film_of(actor: User, study: Study) -> Study:
    """Return the film as the actor may see it now."""
    require(actor, may_review, _("Your account may not review films. Ask an administrator."))
    visible = Study.objects.visible_to(actor).filter(pk=study.pk).first()
    if visible is None:
        raise NotAllowed("not_a_member", _("You are not a member of this film's project."))
    return visible


def _check(finding: str, confidence: int, comment: str) -> None:
    if finding not in Review.Finding.values:
        raise ReviewRefused(
            "finding_invalid",
            _("Choose a finding: %(findings)s.") % {"findings": ", ".join(Review.Finding.values)},
        )
    if not 0 <= confidence <= 100:
        raise ReviewRefused("confidence_invalid", _("Confidence is a whole number from 0 to 100."))
    if len(comment) > MAX_COMMENT:
        raise ReviewRefused(
            "comment_too_long", _("A comment has at most %(most)d characters.") % {"most": MAX_COMMENT}
        )


def _check_agreement(study: Study, prediction: Prediction | None, agrees_with_ai: bool | None) -> None:
    if (prediction is None) == (agrees_with_ai is None):
        return
    if prediction is not None:
        message = _("Say whether you agree with the AI.")
    elif study.ai_hidden:
        message = _("The AI result is hidden until you have signed your own read; leave the agreement out.")
    else:
        message = _("There is no AI result to agree with yet.")
    raise ReviewRefused("agreement_invalid", message)


def _region_columns(region: Region | None) -> dict[str, float]:
    if region is None:
        return {}
    region.checked()
    return {
        "region_x": region.x,
        "region_y": region.y,
        "region_width": region.width,
        "region_height": region.height,
    }


def _add(*, actor: User, study: Study, opinion: dict[str, Any], time: ReadingTime) -> Review:
    Study.objects.select_for_update().get(pk=study.pk)  # serialises two reviews at once
    earlier = Review.objects.filter(study=study, reader=actor, is_current=True).first()
    if earlier is not None:
        Review.objects.filter(pk=earlier.pk).update(is_current=False)
    review = Review.objects.create(
        study=study,
        reader=actor,
        supersedes=earlier,
        addendum_to=Review.objects.reads().filter(study=study, reader=actor).first(),
        **_time_so_far(earlier, time),
        **opinion,
    )
    trail.record(
        actor=actor,
        verb="review_saved",
        target=study,
        review=str(review.uid),
        finding=review.finding,
        confidence=review.confidence,
        supersedes=str(earlier.uid) if earlier else None,
        addendum_to=str(review.addendum_to.uid) if review.addendum_to else None,
    )
    return review


def _time_so_far(earlier: Review | None, time: ReadingTime) -> dict[str, int | None]:
    """Add the time of the draft that this one continues; active time is at most the measured time."""
    opened, active = time.open_seconds, time.active_seconds
    if opened is not None and active is not None:
        active = min(active, opened)
    if opened is None:
        active = None
    if earlier is not None and not earlier.is_signed:
        opened = _sum(earlier.open_seconds, opened)
        active = _sum(earlier.active_seconds, active)
    return {"open_seconds": opened, "active_seconds": active}


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)


def _sign(actor: User, review: Review) -> None:
    draft = Review.objects.filter(pk=review.pk, signed_at=None, is_current=True)
    if not draft.update(signed_at=timezone.now()):
        raise Conflict("not_a_draft", _("This review is signed already, or a later one took its place."))
    release_claim(actor=actor, study=review.study)
    ResultDisclosure.objects.get_or_create(study=review.study, reader=actor)
    trail.record(
        actor=actor, verb="review_signed", target=review.study, review=str(review.uid), sha256=review.digest()
    )
    review.refresh_from_db(fields=["signed_at"])
