"""Flags of the scope check and the map check: stored with the prediction and shown beside the score."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.inference import predictors
from diagnosis.inference.worker import claim_prediction, finish, run_prediction
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Study
from diagnosis.results.wording import map_caution, scope_caution
from pneumoml.explain import reliability
from pneumoml.scope import gate
from tests.support.api import client_of
from tests.support.cast import Cast
from tests.support.inputs.films import photograph, png
from tests.support.results import film_result


def finished(study: Study, **flags: Any) -> Prediction:
    """Finish the film's prediction with these flags."""
    waiting = study.predictions.get()
    claim = claim_prediction(str(waiting.uid))
    assert claim is not None
    assert finish(claim, film_result(0.78, **flags))
    waiting.refresh_from_db()
    return waiting


def test_codes_are_stored_and_the_score_stays(study: Study) -> None:
    prediction = finished(study, scope_flags=("inverted",), map_flags=("map_weak", "map_disputed"))
    assert (prediction.scope_flags, prediction.map_flags) == (["inverted"], ["map_weak", "map_disputed"])
    assert prediction.calibrated_probability == pytest.approx(0.78)


@pytest.mark.parametrize(("seen", "stored"), [((), []), (None, None)])
def test_nothing_found_and_not_checked_are_distinguished(study: Study, seen: Any, stored: Any) -> None:
    prediction = finished(study, scope_flags=seen, map_flags=seen)
    assert (prediction.scope_flags, prediction.map_flags) == (stored, stored)
    assert scope_caution(prediction).checked is map_caution(prediction).checked is (seen is not None)


def test_flags_from_the_dicom_header_are_joined_with_those_from_the_pixels(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(view_position="LL", age_years=61)
    assert finished(study, scope_flags=("unlike_training",)).scope_flags == [
        "lateral",
        "age",
        "unlike_training",
    ]


def test_the_colour_fraction_of_the_file_reaches_the_predictor(
    cast: Cast, active_model: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    class RecordingPredictor:
        def predict(self, pixels: np.ndarray[Any, Any], *, colour_fraction: float) -> Any:
            asked.append(colour_fraction)
            return film_result()

    monkeypatch.setattr(predictors, "_load", lambda *identity: RecordingPredictor())
    submission = submit_study(actor=cast.alice, project=cast.project, data=png(photograph()))
    run_prediction(prediction_uid=str(submission.prediction.uid))
    assert asked == [pytest.approx(submission.study.colour_fraction)]
    assert asked[0] > gate.COLOUR_LIMIT


def test_the_page_shows_the_reasons_and_the_score(client: Client, cast: Cast, study: Study) -> None:
    finished(study, scope_flags=("turned", "colour"), map_flags=("map_outside",))
    client.force_login(cast.alice)
    page = client.get(reverse("study", args=[study.uid])).content.decode()
    for sentence in (gate.SENTENCES["turned"], gate.SENTENCES["colour"]):
        assert sentence in page
    assert reliability.SENTENCES["map_outside"] in page
    assert "Unreliable map" in page
    assert "78.0%" in page


def test_the_page_of_a_film_in_scope_shows_no_warning(client: Client, cast: Cast, study: Study) -> None:
    finished(study)
    client.force_login(cast.alice)
    page = client.get(reverse("study", args=[study.uid])).content.decode()
    assert "data-scope-caution" not in page
    assert "Unreliable map" not in page


@pytest.mark.parametrize(("codes", "marked"), [(("unlike_training",), True), ((), False), (None, False)])
def test_the_list_marks_films_out_of_scope(
    client: Client, cast: Cast, study: Study, codes: Any, marked: bool
) -> None:
    finished(study, scope_flags=codes)
    client.force_login(cast.alice)
    page = client.get(reverse("studies")).content.decode()
    assert ("Out of scope?" in page) is marked
    assert "78%" in page


def test_the_api_gives_code_and_sentence(cast: Cast, study: Study) -> None:
    finished(study, scope_flags=("blank",), map_flags=None)
    answer = client_of(cast.alice).get(f"/api/v1/studies/{study.uid}/predictions/").json()["results"][0]
    assert answer["scope_flags"] == [{"code": "blank", "detail": gate.SENTENCES["blank"]}]
    assert answer["map_flags"] is None
    assert answer["calibrated_probability"] == pytest.approx(0.78)


def test_a_code_of_another_version_still_warns(study: Study) -> None:
    prediction = finished(study, scope_flags=("seen_by_a_later_version",))
    assert len(scope_caution(prediction).sentences) == 1
