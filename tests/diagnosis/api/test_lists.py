"""Predictions, model versions and projects through the API."""

from typing import Any

import pytest

from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.api import assert_problem, client_of
from tests.support.cards import stored_card
from tests.support.cast import Cast


def results(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_a_prediction_is_listed_without_and_shown_with_its_map(cast: Cast, finished_study: Study) -> None:
    client = client_of(cast.rania)
    (listed,) = results(client.get("/api/v1/predictions/"))
    shown = client.get(f"/api/v1/predictions/{listed['id']}/").json()
    assert "cam" not in listed
    assert (len(shown["cam"]), len(shown["cam"][0])) == (14, 14)
    assert shown["cam_strength"] == pytest.approx(2.6)
    assert listed["study"] == str(finished_study.uid)


def test_the_reference_strength_is_the_model_cards(cast: Cast, finished_study: Study) -> None:
    ModelVersion.objects.update(card=stored_card(metrics={"cam_reference": 3.25}))
    uid = Prediction.objects.get().uid
    answer = client_of(cast.rania).get(f"/api/v1/predictions/{uid}/").json()
    assert answer["cam_reference"] == pytest.approx(3.25)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=succeeded", 1),
        ("status=queued", 0),
        ("outcome=pneumonia", 1),
        ("model_version=test-model", 1),
        ("project=ward-7", 1),
    ],
)
def test_predictions_can_be_filtered(cast: Cast, finished_study: Study, query: str, count: int) -> None:
    assert len(results(client_of(cast.rania).get(f"/api/v1/predictions/?{query}"))) == count


@pytest.mark.parametrize("query", ["study=7", "model_version=none", "status=x"])
def test_wrong_filters_of_predictions_are_400(cast: Cast, finished_study: Study, query: str) -> None:
    assert_problem(client_of(cast.rania).get(f"/api/v1/predictions/?{query}"), 400, "invalid")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_predictions_and_models_are_read_only(cast: Cast, finished_study: Study, method: str) -> None:
    client = client_of(cast.adam)
    for path in (
        "predictions/",
        f"predictions/{Prediction.objects.get().uid}/",
        "models/test-model/",
        "audit/",
    ):
        assert_problem(getattr(client, method)(f"/api/v1/{path}"), 405, "method_not_allowed")


def test_a_model_version_shows_its_card_only_outside_lists(cast: Cast, active_model: ModelVersion) -> None:
    client = client_of(cast.rania)
    (listed,) = results(client.get("/api/v1/models/"))
    assert (listed["version"], listed["state"], "card" in listed) == ("test-model", "active", False)
    assert client.get("/api/v1/models/test-model/").json()["card"] == {"version": "test-model"}
    assert_problem(client.get("/api/v1/models/unknown/"), 404, "not_found")


def test_projects_are_the_persons_own(cast: Cast) -> None:
    slugs = [project["slug"] for project in results(client_of(cast.alice).get("/api/v1/projects/"))]
    assert slugs == ["general", "ward-7"]
    everything = [project["slug"] for project in results(client_of(cast.aude).get("/api/v1/projects/"))]
    assert everything == ["elsewhere", "general", "ward-7"]


@pytest.mark.parametrize("query", ["status=", "outcome=", "project=", "created_after=", "status=&q=x"])
def test_a_filter_without_a_value_is_refused_rather_than_showing_everything(cast: Cast, query: str) -> None:
    problem = assert_problem(client_of(cast.adam).get(f"/api/v1/studies/?{query}"), 400, "invalid")
    assert "has no value" in problem["detail"]
