"""POST /predict as the first version's clients use it."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from audit.models import AuditEvent
from diagnosis.inference import predictors, wait
from diagnosis.inference.failures import FAILURES
from diagnosis.inference.worker import claim_prediction, fail, run_prediction
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast
from tests.support.results import film_result

SEED_KEYS = {"diagnosis", "confidence", "raw_score", "status", "gradcam_available", "gradcam"}


class SteadyPredictor:
    """Replaces the network: the same result for every film."""

    def __init__(self, calibrated_probability: float) -> None:
        self.calibrated_probability = calibrated_probability

    def predict(self, pixels: Any, *, colour_fraction: float) -> Any:
        return film_result(self.calibrated_probability)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """While the endpoint waits, a worker analyses every queued film with the real service."""

    def start(calibrated_probability: float = 0.78) -> None:
        steady = SteadyPredictor(calibrated_probability)
        monkeypatch.setattr(predictors, "_load", lambda *identity: steady)

        def work(seconds: float) -> None:
            for uid in Prediction.objects.filter(status="queued").values_list("uid", flat=True):
                run_prediction(prediction_uid=str(uid))

        monkeypatch.setattr(wait, "sleep", work)

    return start


def post_film(cast: Cast, **fields: Any) -> Any:
    return client_of(cast.alice).post("/predict", {"file": film_upload(), "project": "ward-7", **fields})


def test_a_film_is_answered_as_the_first_version_did(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    worker(0.78)
    response = post_film(cast)
    answer = response.json()
    assert response.status_code == 200
    assert set(answer) >= SEED_KEYS
    assert answer["diagnosis"] == "PNEUMONIA"
    assert answer["status"] == "success"
    assert answer["gradcam_available"] is True
    assert (answer["confidence"], answer["raw_score"]) == (pytest.approx(0.78), pytest.approx(0.82))


def test_gradcam_is_a_picture_of_the_film_with_its_caption(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    worker()
    picture = Image.open(io.BytesIO(base64.b64decode(post_film(cast).json()["gradcam"])))
    assert (picture.format, picture.mode, picture.width) == ("PNG", "RGB", 360)
    assert picture.height > 300


def test_the_fields_of_this_version_are_there_too(
    cast: Cast, active_model: ModelVersion, worker: Any, settings: Any
) -> None:
    worker(0.55)
    answer = post_film(cast).json()
    study = Study.objects.get()
    assert answer["study"] == f"http://testserver/api/v1/studies/{study.uid}/"
    assert answer["study_id"] == str(study.uid)
    assert (answer["model_version"], answer["threshold"], answer["borderline"]) == ("test-model", 0.5, True)
    assert answer["calibrated_probability"] == pytest.approx(0.55)
    assert answer["disclaimer"] == settings.DISCLAIMER


def test_confidence_of_normal_is_the_probability_of_normal(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    worker(0.1)
    answer = post_film(cast).json()
    assert answer["diagnosis"] == "NORMAL"
    assert answer["confidence"] == pytest.approx(0.9)
    assert answer["calibrated_probability"] == pytest.approx(0.1)


def test_the_same_film_again_gives_the_same_study_without_a_second_run(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    worker()
    first, second = post_film(cast).json(), post_film(cast).json()
    assert first == second
    assert Prediction.objects.count() == 1


def test_a_film_whose_analysis_failed_is_analysed_again(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    client_of(cast.alice).post("/api/v1/studies/", {"file": film_upload(), "project": "ward-7"})
    claim = claim_prediction(str(Prediction.objects.get().uid))
    assert claim is not None
    fail(claim, "gave_up")
    worker()
    assert post_film(cast).status_code == 200
    assert Prediction.objects.count() == 2


def test_without_a_worker_the_film_is_stored_and_its_address_given(
    cast: Cast, active_model: ModelVersion, settings: Any
) -> None:
    settings.PREDICT_WAIT_SECONDS = 0
    response = post_film(cast)
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert response.json()["study"].endswith(f"/api/v1/studies/{Study.objects.get().uid}/")


@pytest.mark.parametrize(
    ("failure", "status"), [("gave_up", 422), ("film_missing", 503), ("model_refused", 503)]
)
def test_a_failed_analysis_is_a_problem_with_its_sentence(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch, failure: str, status: int
) -> None:
    def give_up(seconds: float) -> None:
        claim = claim_prediction(str(Prediction.objects.get().uid))
        assert claim is not None
        fail(claim, failure)

    monkeypatch.setattr(wait, "sleep", give_up)
    problem = assert_problem(post_film(cast), status, failure)
    assert problem["detail"] == FAILURES[failure]


def test_without_a_model_nothing_is_stored(cast: Cast) -> None:
    assert_problem(post_film(cast), 503, "no_active_model")
    assert not Study.objects.exists()


def test_a_token_is_needed(cast: Cast, active_model: ModelVersion) -> None:
    response = client_of(None).post("/predict", {"file": film_upload()})
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


def test_only_uploaders_may_send_films(cast: Cast, active_model: ModelVersion) -> None:
    for person in (cast.rania, cast.aude, cast.nobody):
        response = client_of(person).post("/predict", {"file": film_upload()})
        assert_problem(response, 403, "not_an_uploader")
    assert not Study.objects.exists()


def test_get_is_not_allowed_and_the_allowed_methods_are_named(cast: Cast) -> None:
    response = client_of(cast.alice).get("/predict")
    assert_problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


def test_the_picture_is_recorded_as_a_download(cast: Cast, active_model: ModelVersion, worker: Any) -> None:
    worker()
    post_film(cast)
    event = AuditEvent.objects.get(verb="film_downloaded")
    assert (event.actor_name, event.details) == ("alice", {"kind": "overlay"})


def test_an_idempotency_key_with_another_film_is_refused(
    cast: Cast, active_model: ModelVersion, worker: Any
) -> None:
    worker()
    client = client_of(cast.alice)
    key = {"Idempotency-Key": "k-1"}
    first = client.post("/predict", {"file": film_upload(), "project": "ward-7"}, headers=key)
    again = client.post("/predict", {"file": film_upload(), "project": "ward-7"}, headers=key)
    other = client.post("/predict", {"file": film_upload(seed=1), "project": "ward-7"}, headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    assert_problem(other, 422, "idempotency_key_reused")
