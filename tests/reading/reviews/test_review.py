"""A review is added to, never overwritten, and belongs to somebody who may read the film."""

import pytest

from audit.models import AuditEvent
from core.errors import NotAllowed
from diagnosis.models import Study, newest_prediction
from reading.models import Review
from reading.reviews.service import ReviewRefused, review_study
from tests.support.cast import Cast


def save(cast: Cast, study: Study, **changes: object) -> Review:
    fields = {"finding": "pneumonia", "confidence": 80, "comment": "left base", "agrees_with_ai": True}
    return review_study(actor=cast.rania, study=study, **{**fields, **changes})  # type: ignore[arg-type]


def test_a_readers_opinion_is_stored_with_the_ai_result_they_saw(cast: Cast, finished_study: Study) -> None:
    review = save(cast, finished_study)
    assert review.prediction == newest_prediction(finished_study)
    assert review.is_current
    assert AuditEvent.objects.filter(verb="review_saved", actor_name="rania").count() == 1


def test_a_later_opinion_keeps_the_earlier_one(cast: Cast, finished_study: Study) -> None:
    first = save(cast, finished_study)
    second = save(cast, finished_study, finding="normal", agrees_with_ai=False, comment="after CT")
    first.refresh_from_db()
    assert (first.finding, first.comment, first.is_current) == ("pneumonia", "left base", False)
    assert (second.supersedes, second.is_current) == (first, True)


def test_the_ai_result_is_not_touched_by_a_disagreement(cast: Cast, finished_study: Study) -> None:
    before = finished_study.predictions.values().get()
    save(cast, finished_study, finding="normal", agrees_with_ai=False)
    assert finished_study.predictions.values().get() == before


def test_a_film_without_a_result_is_reviewed_without_agreement(cast: Cast, study: Study) -> None:
    assert save(cast, study, agrees_with_ai=None).prediction is None
    with pytest.raises(ReviewRefused) as refusal:
        save(cast, study, agrees_with_ai=True)
    assert refusal.value.code == "agreement_invalid"


def test_with_a_result_agreement_must_be_stated(cast: Cast, finished_study: Study) -> None:
    with pytest.raises(ReviewRefused, match="agree"):
        save(cast, finished_study, agrees_with_ai=None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"finding": "lesion"}, "finding_invalid"),
        ({"confidence": 101}, "confidence_invalid"),
        ({"confidence": -1}, "confidence_invalid"),
        ({"comment": "x" * 4001}, "comment_too_long"),
    ],
)
def test_senseless_fields_are_refused_and_nothing_is_stored(
    cast: Cast, finished_study: Study, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ReviewRefused) as refusal:
        save(cast, finished_study, **changes)
    assert refusal.value.code == code
    assert not Review.objects.exists()


@pytest.mark.parametrize("name", ["alice", "otto", "aude", "adam", "nobody"])
def test_only_a_reader_of_the_films_project_may_review(cast: Cast, finished_study: Study, name: str) -> None:
    with pytest.raises(NotAllowed):
        review_study(
            actor=getattr(cast, name),
            study=finished_study,
            finding="normal",
            confidence=50,
            agrees_with_ai=False,
        )
