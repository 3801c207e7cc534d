"""The review panel of one film: reviews, what may be shown, claim, time of opening, worklist position."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import QuerySet

from accounts.roles import may_review
from diagnosis.models import Prediction, Study, newest_prediction
from diagnosis.studies.blinding import shown_result
from reading.lists.worklist import WorklistPosition, WorklistQuery, position_of
from reading.models import ReadingClaim, Review, others_withheld, with_opinions
from reading.reviews.claims import claim_film, claim_of_another, held_by, renew_claim
from reading.reviews.timing import continued_opening


def for_panel(films: QuerySet[Study], user: User) -> QuerySet[Study]:
    """Add what ReviewPanel needs to films from `visible_to`: `others_hidden` and `held`."""
    return with_opinions(films, user).annotate(held=held_by(user))


@dataclass(frozen=True)
class ReviewPanel:
    """What one person sees of a film's reviews.

    `own` is their current opinion, `read` their signed first read, `earlier` their superseded ones, `others`
    the current opinions of others that may be shown. `taken` is somebody else's claim, `holds` whether the
    person has one. `position` is None for people who are not readers.
    """

    study: Study
    own: Review | None
    read: Review | None
    earlier: Sequence[Review]
    others: Sequence[Review]
    has_result: bool
    asks_agreement: bool
    others_hidden: bool
    opening: str
    position: WorklistPosition | None = None
    taken: ReadingClaim | None = None
    holds: bool = False

    @classmethod
    def for_(cls, user: User, study: Study, *, worklist: WorklistQuery, opened: str = "") -> "ReviewPanel":
        """Claim a film from `for_panel` for a reader who has not signed it, and collect what the panel shows.

        `opened` is the opening that the page has; without one, time starts now.
        """
        visible = Review.objects.visible_to(user).filter(study=study)
        reviews = list(visible.select_related("reader", "study", "addendum_to"))
        own = [review for review in reviews if review.reader_id == user.pk]
        read = next((review for review in own if review.is_signed and not review.addendum_to_id), None)
        position, taken, holds = None, None, False
        if may_review(user):
            is_free = read is not None or _has_claim(user, study)
            position = position_of(user, study, worklist)
            taken = None if is_free else claim_of_another(user, study)
            holds = is_free and read is None
        return cls(
            study=study,
            own=next((review for review in own if review.is_current), None),
            read=read,
            earlier=[review for review in own if not review.is_current],
            others=[review for review in reviews if review.is_current and review.reader_id != user.pk],
            has_result=_has_result(study),
            asks_agreement=shown_result(study) is not None,
            others_hidden=others_withheld(study),
            opening=continued_opening(opened, study=study.uid, reader=user.pk),
            position=position,
            taken=taken,
            holds=holds,
        )


def _has_claim(reader: User, study: Study) -> bool:
    """Renew the reader's claim or take the film; False while somebody else is reading it."""
    if getattr(study, "held", False) and renew_claim(actor=reader, study=study):
        return True
    return claim_film(actor=reader, study=study)


def _has_result(study: Study) -> bool:
    prediction = newest_prediction(study)
    return prediction is not None and prediction.status == Prediction.Status.SUCCEEDED
