"""Reviews through the API."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from diagnosis.models import Study
from reading.marks import make_tag, tag_film, write_note
from reading.models import Adjudication, Review
from tests.support.api import assert_problem, client_of
from tests.support.cast import Cast

REVIEWS = "/api/v1/reviews/"


def opinion(film: Study, /, **changes: Any) -> dict[str, Any]:
    given = {"study": str(film.uid), "finding": "pneumonia", "confidence": 90, "agrees_with_ai": True}
    return {**given, "comment": "Right lower zone.", **changes}


def send(cast: Cast, film: Study, /, **changes: Any) -> Any:
    return client_of(cast.rania).post(REVIEWS, opinion(film, **changes), format="json")


def test_a_review_is_created_and_found_again(cast: Cast, finished_study: Study) -> None:
    response = send(cast, finished_study)
    answer = response.json()
    assert response.status_code == 201
    assert (answer["reader"], answer["finding"], answer["confidence"]) == ("rania", "pneumonia", 90)
    shown = client_of(cast.alice).get(f"{REVIEWS}{answer['id']}/").json()
    assert shown == answer
    study = client_of(cast.alice).get(f"/api/v1/studies/{finished_study.uid}/").json()
    assert [review["id"] for review in study["reviews"]] == [answer["id"]]


def test_a_later_opinion_supersedes_and_keeps_the_earlier_one(cast: Cast, finished_study: Study) -> None:
    first = send(cast, finished_study).json()
    second = send(cast, finished_study, finding="normal", agrees_with_ai=False).json()
    listed = client_of(cast.alice).get(REVIEWS).json()["results"]
    assert [(review["id"], review["is_current"]) for review in listed] == [
        (second["id"], True),
        (first["id"], False),
    ]
    assert second["supersedes"] == first["id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"finding": "cancer"}, "finding"),
        ({"confidence": 101}, "confidence"),
        ({"confidence": -1}, "confidence"),
        ({"confidence": "sure"}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"study": "7"}, "study"),
        ({"agrees_with_ai": "perhaps"}, "agrees_with_ai"),
        ({"comment": "x" * 4001}, "comment"),
        ({"comment": "a\x00b"}, "comment"),
        ({"study": None}, "study"),
    ],
)
def test_a_wrong_field_is_named(cast: Cast, finished_study: Study, changes: Any, field: str) -> None:
    problem = assert_problem(send(cast, finished_study, **changes), 400, "invalid")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert not Review.objects.exists()


def test_agreement_is_asked_for_exactly_when_the_ai_has_a_result(cast: Cast, finished_study: Study) -> None:
    assert_problem(send(cast, finished_study, agrees_with_ai=None), 400, "agreement_invalid")


def test_without_a_result_there_is_nothing_to_agree_with(cast: Cast, study: Study) -> None:
    assert_problem(send(cast, study, agrees_with_ai=True), 400, "agreement_invalid")
    assert send(cast, study, agrees_with_ai=None).status_code == 201


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_is_overwritten_or_removed(cast: Cast, finished_study: Study, method: str) -> None:
    uid = send(cast, finished_study).json()["id"]
    assert_problem(getattr(client_of(cast.rania), method)(f"{REVIEWS}{uid}/"), 405)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("reader=rania", 1),
        ("reader=alice", 0),
        ("finding=pneumonia", 1),
        ("finding=normal", 0),
        ("agrees_with_ai=true", 1),
        ("agrees_with_ai=false", 0),
        ("is_current=true", 1),
        ("is_current=false", 0),
    ],
)
def test_reviews_can_be_filtered(cast: Cast, finished_study: Study, query: str, count: int) -> None:
    send(cast, finished_study)
    assert len(client_of(cast.alice).get(f"{REVIEWS}?{query}").json()["results"]) == count


@pytest.mark.parametrize("name", ["agrees_with_ai", "is_current", "is_signed"])
def test_yes_or_no_is_said_with_the_two_words_of_the_description(cast: Cast, name: str) -> None:
    described: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    parameters = {
        parameter["name"]: parameter for parameter in described["paths"][REVIEWS]["get"]["parameters"]
    }
    schema = parameters[name]["schema"]
    assert (schema["type"], sorted(schema["enum"]), schema.get("nullable")) == (
        "string",
        ["false", "true"],
        None,
    )
    for word in schema["enum"]:
        assert client_of(cast.alice).get(REVIEWS, {name: word}).status_code == 200
    for word in ("True", "1", "yes", "null", ""):
        assert_problem(client_of(cast.alice).get(REVIEWS, {name: word}), 400, "invalid")


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [("unreviewed", 1, 0), ("reviewed", 0, 1), ("agreed", 0, 0), ("disagreed", 0, 1)],
)
def test_studies_can_be_filtered_by_review_state(
    cast: Cast, finished_study: Study, state: str, before: int, after: int
) -> None:
    client = client_of(cast.alice)

    def count() -> int:
        return len(client.get(f"/api/v1/studies/?review_state={state}").json()["results"])

    assert count() == before
    send(cast, finished_study, agrees_with_ai=True)
    send(cast, finished_study, finding="normal", agrees_with_ai=False)
    assert count() == after


def marked(cast: Cast, film: Study) -> None:
    """A tag and a note by Alice, and a decision by Adam: others' opinions, to Rania."""
    tag = make_tag(actor=cast.adam, project=cast.project, name="follow-up")
    tag_film(actor=cast.alice, study=film, tag=tag)
    write_note(actor=cast.alice, study=film, text="Rotated.")
    fields = {"finding": "other", "basis": "third_reader", "rationale": "Seen twice."}
    Adjudication.objects.create(study=film, adjudicator=cast.adam, **fields)


def test_a_study_tells_of_decision_tags_and_notes(cast: Cast, finished_study: Study) -> None:
    marked(cast, finished_study)
    answer = client_of(cast.rania).get(f"/api/v1/studies/{finished_study.uid}/").json()
    assert (answer["adjudication"]["finding"], answer["adjudication"]["adjudicator"]) == ("other", "adam")
    assert [(tag["name"], tag["put_by"]) for tag in answer["tags"]] == [("follow-up", "alice")]
    assert [(note["text"], note["written_by"]) for note in answer["notes"]] == [("Rotated.", "alice")]


def test_others_decision_tags_and_notes_are_withheld_with_their_reads(
    cast: Cast, hidden_study: Study
) -> None:
    marked(cast, hidden_study)
    answer = client_of(cast.rania).get(f"/api/v1/studies/{hidden_study.uid}/").json()
    assert (answer["adjudication"], answer["tags"], answer["notes"]) == (None, [], [])
    assert client_of(cast.aude).get(f"/api/v1/studies/{hidden_study.uid}/").json()["tags"]
