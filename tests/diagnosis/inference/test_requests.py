"""A person requests a further prediction of a film."""

import pytest

from core.errors import Conflict
from diagnosis.inference.requests import request_prediction
from diagnosis.inference.worker import claim_prediction, fail
from diagnosis.models import ModelVersion, Prediction, Study, newest_prediction
from tests.support.cast import Cast

Status = Prediction.Status


def test_another_prediction_can_be_requested_after_a_failure_only(study: Study, cast: Cast) -> None:
    with pytest.raises(Conflict):
        request_prediction(actor=cast.alice, study=study)
    fail(claim_prediction(str(study.predictions.get().uid)), "film_missing")
    again = request_prediction(actor=cast.alice, study=study)
    assert again.status == Status.QUEUED
    assert newest_prediction(study) == again


def test_a_new_model_version_may_analyse_an_old_film(finished_study: Study, cast: Cast) -> None:
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    newer = ModelVersion.objects.create(
        version="newer", threshold=0.5, borderline_low=0.4, borderline_high=0.6, card={}, state="active"
    )
    assert request_prediction(actor=cast.alice, study=finished_study).model_version == newer
    assert finished_study.predictions.count() == 2
