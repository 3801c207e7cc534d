"""Films through the API: send, list, filter, page, show, delete, analyse again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png

STUDIES = "/api/v1/studies/"


def send(cast: Cast, seed: int = 0, **fields: Any) -> Any:
    return client_of(cast.alice).post(
        STUDIES, {"file": film_upload(seed=seed), "project": "ward-7", **fields}
    )


@pytest.fixture
def films(cast: Cast, active_model: ModelVersion) -> list[Study]:
    """Three films a minute apart, newest first."""
    now, made = timezone.now(), list[Study]()
    for age in (2, 1, 0):
        study = submit_study(
            actor=cast.alice, project=cast.project, data=chest_png(seed=age), subject_code=f"S-0{age}"
        ).study
        study.created_at = now - timedelta(minutes=age)
        study.save(update_fields=["created_at"])
        made.insert(0, study)
    return made


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [study["id"] for study in response.json()["results"]]


def test_a_film_is_created_with_its_addresses(cast: Cast, active_model: ModelVersion) -> None:
    response = send(cast, subject_code="S-017")
    study = Study.objects.get()
    answer = response.json()
    assert response.status_code == 201
    assert (answer["id"], answer["status"], answer["duplicate"]) == (str(study.uid), "queued", False)
    assert (answer["project"], answer["subject_code"], answer["uploaded_by"]) == ("ward-7", "S-017", "alice")
    assert response["Location"] == answer["links"]["self"] == f"http://testserver{STUDIES}{study.uid}/"
    assert "overlay" not in answer["links"]


def test_every_link_of_a_finished_study_leads_somewhere(cast: Cast, finished_study: Study) -> None:
    client = client_of(cast.alice)
    links = client.get(f"{STUDIES}{finished_study.uid}/").json()["links"]
    assert {"self", "page", "original", "display", "overlay", "heatmap", "side_by_side"} <= set(links)
    client.force_login(cast.alice)  # the page is for people with sessions
    for name, link in links.items():
        assert client.get(link.removeprefix("http://testserver")).status_code == 200, name


def test_the_same_film_again_is_200_with_the_study_that_is_there(
    cast: Cast, active_model: ModelVersion
) -> None:
    first = send(cast).json()
    again = send(cast)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["duplicate"]) == (first["id"], True)
    assert Study.objects.count() == 1


def test_without_a_project_the_film_goes_to_the_one_open_to_all(
    cast: Cast, active_model: ModelVersion
) -> None:
    response = client_of(cast.alice).post(STUDIES, {"file": film_upload()})
    assert response.json()["project"] == "general"


def test_without_an_open_project_the_film_goes_to_the_only_one(
    cast: Cast, active_model: ModelVersion
) -> None:
    from diagnosis.models import Project

    Project.objects.filter(open_to_all=True).update(open_to_all=False)
    assert client_of(cast.alice).post(STUDIES, {"file": film_upload()}).json()["project"] == "ward-7"
    assert_problem(client_of(cast.adam).post(STUDIES, {"file": film_upload()}), 400, "invalid")


def test_a_foreign_project_is_refused_as_unknown(cast: Cast, active_model: ModelVersion) -> None:
    problem = assert_problem(send(cast, project="elsewhere"), 400, "invalid")
    assert problem["errors"][0]["field"] == "project"
    assert not Study.objects.exists()


def test_the_list_is_newest_first_and_pages_through_everything_once(cast: Cast, films: list[Study]) -> None:
    client = client_of(cast.rania)
    seen, url = [], f"{STUDIES}?page_size=2"
    while url:
        page = client.get(url).json()
        assert page["disclaimer"]
        seen += [study["id"] for study in page["results"]]
        url = page["next"]
    assert seen == [str(film.uid) for film in films]


def test_a_list_of_any_length_takes_the_same_number_of_queries(
    cast: Cast, films: list[Study], django_assert_max_num_queries: Any
) -> None:
    client = client_of(cast.rania)
    with django_assert_max_num_queries(6):
        assert len(ids(client.get(STUDIES))) == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=queued", [0, 2]),
        ("status=succeeded", [1]),
        ("status=failed", []),
        ("outcome=pneumonia", [1]),
        ("outcome=normal", []),
        ("project=ward-7", [0, 1, 2]),
        ("project=general", []),
        ("uploaded_by=alice", [0, 1, 2]),
        ("uploaded_by=otto", []),
        ("subject_code=S-01", [1]),
        ("q=S-02", [2]),
        ("q=alice+S-00", [0]),
        ("q=nothing", []),
    ],
)
def test_filters(cast: Cast, films: list[Study], query: str, expected: list[int]) -> None:
    Prediction.objects.filter(study=films[1]).update(
        status="succeeded", outcome="pneumonia", calibrated_probability=0.8, cam=[[1.0]]
    )
    found = ids(client_of(cast.rania).get(f"{STUDIES}?{query}"))
    assert found == [str(films[index].uid) for index in expected]


def test_filters_by_the_newest_prediction_not_by_any(cast: Cast, films: list[Study]) -> None:
    Prediction.objects.filter(study=films[0]).update(status="failed", failure_code="gave_up")
    Prediction.objects.create(
        study=films[0], model_version=ModelVersion.objects.get(), requested_by=cast.alice
    )
    client = client_of(cast.rania)
    assert ids(client.get(f"{STUDIES}?status=failed")) == []
    assert str(films[0].uid) in ids(client.get(f"{STUDIES}?status=queued"))


def test_filters_by_time_include_the_start_and_not_the_end(cast: Cast, films: list[Study]) -> None:
    client = client_of(cast.rania)
    moment = films[1].created_at.isoformat()
    assert ids(client.get(STUDIES, {"created_after": moment})) == [str(film.uid) for film in films[:2]]
    assert ids(client.get(STUDIES, {"created_before": moment})) == [str(films[2].uid)]


def test_finds_by_reference_id_and_checksum(cast: Cast, films: list[Study]) -> None:
    client = client_of(cast.rania)
    for words in (films[1].reference, str(films[1].uid), films[1].sha256[:12]):
        assert ids(client.get(STUDIES, {"q": words})) == [str(films[1].uid)], words


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "outcome=cancer",
        "project=elsewhere",
        "created_after=yesterday",
        "page_size=0",
        "page_size=101",
        "page_size=ten",
        "page_size=-1",
        "stauts=queued",
        "review_state=maybe",
        "q=%00",
    ],
)
def test_an_unknown_filter_or_value_is_400_and_not_everything(
    cast: Cast, films: list[Study], query: str
) -> None:
    problem = assert_problem(client_of(cast.rania).get(f"{STUDIES}?{query}"), 400, "invalid")
    assert problem["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("cursor", ["nonsense", "cD1ub25zZW5zZQ==", "bz0tMQ==", "cD0%3D"])
def test_a_cursor_that_was_not_given_out_is_404(cast: Cast, films: list[Study], cursor: str) -> None:
    assert client_of(cast.rania).get(f"{STUDIES}?cursor={cursor}").status_code == 404


def test_a_study_shows_its_prediction_and_reviews(cast: Cast, finished_study: Study, settings: Any) -> None:
    answer = client_of(cast.rania).get(f"{STUDIES}{finished_study.uid}/").json()
    assert (answer["status"], answer["outcome"]) == ("succeeded", "pneumonia")
    prediction = answer["prediction"]
    assert prediction["confidence"] == prediction["calibrated_probability"] == pytest.approx(0.78)
    assert prediction["raw_score"] == pytest.approx(0.82)
    assert prediction["model_version"] == "test-model"
    assert answer["reviews"] == []
    assert answer["disclaimer"] == settings.DISCLAIMER


def test_seeing_a_result_is_audited_and_asking_for_it_is_not(cast: Cast, study: Study) -> None:
    client = client_of(cast.rania)
    client.get(f"{STUDIES}{study.uid}/")
    assert not AuditEvent.objects.filter(verb="study_viewed").exists()
    Prediction.objects.update(status="failed", failure_code="gave_up")
    client.get(f"{STUDIES}{study.uid}/")
    assert AuditEvent.objects.get(verb="study_viewed").actor_name == "rania"


def test_a_failed_prediction_says_why(cast: Cast, study: Study) -> None:
    Prediction.objects.update(status="failed", failure_code="gave_up")
    failure = client_of(cast.alice).get(f"{STUDIES}{study.uid}/").json()["prediction"]["failure"]
    assert failure["code"] == "gave_up"
    assert "three attempts" in failure["detail"]


def test_only_administrators_delete_and_then_it_is_gone_for_everybody(cast: Cast, study: Study) -> None:
    url = f"{STUDIES}{study.uid}/"
    assert_problem(client_of(cast.alice).delete(url), 403, "not_an_administrator")
    assert client_of(cast.adam).delete(url).status_code == 204
    for person in (cast.alice, cast.adam, cast.aude):
        assert_problem(client_of(person).get(url), 404, "not_found")
    assert Study.objects.get().deleted_at is not None


def test_a_new_reading_can_be_asked_for_after_a_failure_only(cast: Cast, study: Study) -> None:
    url = f"{STUDIES}{study.uid}/predictions/"
    client = client_of(cast.alice)
    assert_problem(client.post(url), 409, "already_read")
    Prediction.objects.update(status="failed", failure_code="gave_up")
    response = client.post(url)
    assert response.status_code == 201
    assert response.json()["status"] == "queued"
    assert [p["status"] for p in client.get(url).json()["results"]] == ["queued", "failed"]


@pytest.mark.parametrize("reader", ["aude", "nobody"])
def test_who_only_looks_cannot_ask_for_a_new_reading(cast: Cast, study: Study, reader: str) -> None:
    Prediction.objects.update(status="failed", failure_code="gave_up")
    Study.objects.update(project=Study.objects.get().project)
    person = getattr(cast, reader)
    response = client_of(person).post(f"{STUDIES}{study.uid}/predictions/")
    assert response.status_code in (403, 404)
    assert Prediction.objects.count() == 1
