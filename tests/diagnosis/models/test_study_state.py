"""The state stored beside each film follows every change of results, reads and rules."""

import pytest
from django.contrib.auth.models import User

from diagnosis.models import ModelVersion, Prediction, Study
from reading.models import ReadingSettings, Review
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast


def stored(film: Study) -> tuple[object, ...]:
    film.refresh_from_db()
    return (
        film.result_status, film.result_outcome, film.result_score,
        film.is_reviewed, film.reads_signed, film.reads_differ, film.wants_reads,
    )  # fmt: skip


def expected(film: Study) -> tuple[object, ...]:
    newest = film.predictions.order_by("-pk").first()
    reads = Review.objects.reads().filter(study=film)
    findings = {read.finding for read in reads} - {"not_readable"}
    rules = ReadingSettings.objects.filter(project=film.project).first()
    wanted = rules.reads_per_film if rules else 0
    score = newest.calibrated_probability if newest else None
    return (
        newest.status if newest else "", newest.outcome if newest else "", -1.0 if score is None else score,
        Review.objects.filter(study=film, is_current=True).exists(), reads.count(), len(findings) > 1,
        wanted == 0 or reads.count() < wanted or Review.objects.filter(study=film, signed_at=None).exists(),
    )  # fmt: skip


def test_every_films_state_agrees_with_its_rows(cast: Cast, rob: User, active_model: ModelVersion) -> None:
    studies = bring_in(cast.project, cast.alice, active_model, films=30)
    ReadingSettings.objects.create(project=cast.project, reads_per_film=2)
    have_read(cast.rania, studies)
    have_read(rob, studies, skill=0.5, seed=3)
    assert len({stored(film)[3:] for film in studies}) >= 3
    for film in studies:
        assert stored(film) == expected(film)
    for wanted in (3, 1, 0):
        ReadingSettings.objects.update(reads_per_film=wanted)
        assert [stored(film) for film in studies] == [expected(film) for film in studies]
    ReadingSettings.objects.all().delete()
    assert all(stored(film)[-1] for film in studies)


def test_the_newest_prediction_counts_and_a_deleted_one_does_not(
    cast: Cast, active_model: ModelVersion
) -> None:
    (film,) = bring_in(cast.project, cast.alice, active_model, films=1)
    later = ModelVersion.objects.create(
        version="later", architecture="x", weights_sha256="1" * 64, threshold=0.5,
        borderline_low=0.4, borderline_high=0.6, card={},
    )  # fmt: skip
    before = stored(film)
    again = Prediction.objects.create(study=film, model_version=later, requested_by=cast.alice)
    assert stored(film)[:3] == ("queued", "", -1.0)
    Prediction.objects.filter(study=film, model_version=active_model).update(
        status="failed", calibrated_probability=None
    )
    assert stored(film)[0] == "queued"
    Prediction.objects.filter(pk=again.pk).update(
        status="succeeded", outcome="normal", calibrated_probability=0.25, cam=[[0.0]]
    )
    assert stored(film)[:3] == ("succeeded", "normal", 0.25)
    again.delete()
    assert stored(film)[0] == "failed"
    assert stored(film)[3:] == before[3:]


@pytest.mark.parametrize("sign", [False, True])
def test_a_draft_is_a_review_and_only_a_signature_is_a_read(
    cast: Cast, active_model: ModelVersion, sign: bool
) -> None:
    (film,) = bring_in(cast.project, cast.alice, active_model, films=1)
    draft = Review.objects.create(study=film, reader=cast.rania, finding="normal", confidence=50)
    assert stored(film)[3:5] == (True, 0)
    if sign:
        Review.objects.filter(pk=draft.pk).update(signed_at=draft.created_at)
        assert stored(film)[3:5] == (True, 1)
    else:
        draft.delete()
        assert stored(film)[3:5] == (False, 0)
