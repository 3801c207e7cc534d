"""The history: who sees what, search, filters, sorting, paging without counting, empty states, its cost."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.models import ModelVersion, Prediction, Project, Study
from reading.lists.cursors import Cursor
from reading.models import Review
from reading.views.history import FILMS_PER_PAGE
from tests.support.cast import Cast
from tests.support.inputs.film_rows import film_row
from tests.support.pages import flat

MOST_QUERIES = 15
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def put_in(
    uploader: User, project: Project, *, number: int, subject: str = "", at: datetime | None = None
) -> Study:
    """One film as rows only: the history reads no files."""
    study = film_row(
        number,
        project=project,
        uploaded_by=uploader,
        subject_code=subject,
        created_at=at or NOON + timedelta(minutes=number),
    )
    study.save(force_insert=True)
    return study


def predict(
    study: Study, model: ModelVersion, probability: float | None = None, status: str = "queued"
) -> Prediction:
    """A prediction: succeeded when a calibrated probability is given."""
    if probability is None:
        return Prediction.objects.create(
            study=study, model_version=model, requested_by=study.uploaded_by, status=status
        )
    return Prediction.objects.create(
        study=study,
        model_version=model,
        requested_by=study.uploaded_by,
        status="succeeded",
        logit=0.0,
        probability=probability,
        calibrated_probability=probability,
        cam=[[0.0]],
        cam_strength=0.0,
        outcome="pneumonia" if probability >= model.threshold else "normal",
    )


def review(study: Study, reader: User, *, agrees: bool | None, is_current: bool = True) -> Review:
    return Review.objects.create(
        study=study,
        reader=reader,
        agrees_with_ai=agrees,
        finding="normal",
        confidence=80,
        is_current=is_current,
    )


def shown(response: Any) -> list[str]:
    """The references on the page, in order."""
    return re.findall(r"pw-rowlink[^>]*>(PW-\d+)<", response.content.decode())


def ask(client: Client, **query: Any) -> Any:
    return client.get(reverse("studies"), query)


@pytest.fixture
def rania(client: Client, cast: Cast) -> Client:
    client.force_login(cast.rania)
    return client


@pytest.fixture
def five(cast: Cast, active_model: ModelVersion) -> list[Study]:
    """Above, below, borderline (below), failed, waiting; uploaded in this order, one minute apart."""
    films = [
        put_in(cast.alice, cast.project, number=number, subject=f"S-{9 - number}") for number in range(5)
    ]
    predict(films[0], active_model, 0.9)
    predict(films[1], active_model, 0.1)
    predict(films[2], active_model, 0.45)
    predict(films[3], active_model, status="failed")
    predict(films[4], active_model)
    return films


def names(films: list[Study], *indices: int) -> list[str]:
    return [films[index].reference for index in indices]


def test_the_newest_film_comes_first_with_its_state_in_words(rania: Client, five: list[Study]) -> None:
    response = ask(rania)
    text = response.content.decode()
    assert shown(response) == names(five, 4, 3, 2, 1, 0)
    for words in (
        "Waiting",
        "Failed",
        "Borderline",
        "Above the operating point",
        "90%",
        "Ward 7",
        "alice",
        "S-9",
    ):
        assert words in text
    assert text.count("Borderline</span>") == 1


def test_films_of_other_projects_are_not_there(client: Client, cast: Cast, five: list[Study]) -> None:
    client.force_login(cast.otto)
    assert shown(ask(client)) == []
    assert shown(ask(client, q=five[0].reference)) == []
    client.force_login(cast.aude)
    assert len(shown(ask(client))) == 5


def test_trashed_films_are_not_there(rania: Client, five: list[Study]) -> None:
    Study.objects.filter(pk=five[2].pk).update(deleted_at=NOON)
    assert five[2].reference not in shown(ask(rania))


def test_a_visitor_signs_in_first(client: Client) -> None:
    assert ask(client).headers["Location"].startswith(reverse("login"))


def test_search_finds_by_reference_number_subject_and_uploader(
    rania: Client, five: list[Study], cast: Cast
) -> None:
    assert shown(ask(rania, q=five[1].reference)) == names(five, 1)
    assert shown(ask(rania, q=five[1].reference.lower())) == names(five, 1)
    assert shown(ask(rania, q=str(five[1].pk))) == names(five, 1)
    assert shown(ask(rania, q="s-7")) == names(five, 2)
    assert len(shown(ask(rania, q="alice"))) == 5
    assert shown(ask(rania, q="nobody-at-all")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "queued"}, [4]),
        ({"status": "failed"}, [3]),
        ({"status": "succeeded"}, [2, 1, 0]),
        ({"result": "pneumonia"}, [0]),
        ({"result": "normal"}, [2, 1]),
        ({"result": "borderline"}, [2]),
        ({"status": "succeeded", "q": "S-9"}, [0]),
    ],
)
def test_filters_by_status_and_result(
    rania: Client, five: list[Study], query: dict[str, str], expected: list[int]
) -> None:
    assert shown(ask(rania, **query)) == names(five, *expected)


def test_a_film_is_found_by_its_newest_prediction_only(
    rania: Client, five: list[Study], active_model: ModelVersion
) -> None:
    predict(five[3], active_model, 0.95)
    assert shown(ask(rania, status="failed")) == []
    assert shown(ask(rania, result="pneumonia")) == names(five, 3, 0)


def test_filters_by_review_state(rania: Client, five: list[Study], cast: Cast) -> None:
    review(five[0], cast.rania, agrees=True)
    review(five[1], cast.rania, agrees=True, is_current=False)
    review(five[1], cast.rania, agrees=False)
    review(five[3], cast.rania, agrees=None)
    assert shown(ask(rania, review="unreviewed")) == names(five, 4, 2)
    assert shown(ask(rania, review="reviewed")) == names(five, 3, 1, 0)
    assert shown(ask(rania, review="agreed")) == names(five, 0)
    assert shown(ask(rania, review="disagreed")) == names(five, 1)
    text = ask(rania).content.decode()
    assert all(
        word in text for word in ("Agreed</span>", "Disagreed</span>", "Reviewed</span>", "Unreviewed")
    )


def test_readers_who_differ_are_said(rania: Client, five: list[Study], cast: Cast) -> None:
    review(five[0], cast.rania, agrees=True)
    review(five[0], cast.otto, agrees=False)
    assert "Readers differ" in ask(rania).content.decode()


def test_filters_by_date_project_and_uploader(client: Client, cast: Cast, active_model: ModelVersion) -> None:
    client.force_login(cast.adam)
    days = [datetime(2026, 3, day, 23, 59, tzinfo=UTC) for day in (9, 10, 11)]
    films = [put_in(cast.alice, cast.project, number=number, at=day) for number, day in enumerate(days)]
    foreign = put_in(cast.otto, cast.other_project, number=9, at=days[1])
    assert shown(ask(client, since="2026-03-10", until="2026-03-10", project="ward-7")) == names(films, 1)
    assert shown(ask(client, since="2026-03-11")) == names(films, 2)
    assert shown(ask(client, until="2026-03-09")) == names(films, 0)
    assert shown(ask(client, project="elsewhere")) == [foreign.reference]
    assert shown(ask(client, uploader="otto")) == [foreign.reference]


def test_only_projects_and_uploaders_in_sight_are_offered(
    rania: Client, five: list[Study], cast: Cast
) -> None:
    put_in(cast.otto, cast.other_project, number=77)
    text = ask(rania).content.decode()
    assert 'value="alice"' in text
    assert 'value="otto"' not in text
    assert "elsewhere" not in text
    assert ask(rania, project="elsewhere").status_code == 400


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("uploaded", [0, 1, 2, 3, 4]),
        ("-uploaded", [4, 3, 2, 1, 0]),
        ("film", [0, 1, 2, 3, 4]),
        ("subject", [4, 3, 2, 1, 0]),
        ("-subject", [0, 1, 2, 3, 4]),
        ("-probability", [0, 2, 1, 4, 3]),
        ("probability", [3, 4, 1, 2, 0]),
    ],
)
def test_sorting(rania: Client, five: list[Study], sort: str, expected: list[int]) -> None:
    response = ask(rania, sort=sort)
    assert shown(response) == names(five, *expected)
    assert ("descending" if sort.startswith("-") else "ascending") in response.content.decode()


@pytest.mark.parametrize(
    "sort", ["-uploaded", "uploaded", "subject", "-subject", "-film", "-probability", "probability"]
)
def test_paging_on_and_back_shows_every_film_once(
    rania: Client, cast: Cast, active_model: ModelVersion, sort: str
) -> None:
    total = 2 * FILMS_PER_PAGE + 3
    for number in range(total):
        # Equal times, codes and probabilities: only the tie-break keeps the pages apart.
        film = put_in(cast.alice, cast.project, number=number, subject=f"S-{number % 3}", at=NOON)
        predict(film, active_model, (number % 4) / 4 if number % 5 else None)
    forwards, response = [], ask(rania, sort=sort)
    pages = [shown(response)]
    while address := neighbour(response, "next"):
        response = rania.get(address)
        pages.append(shown(response))
    forwards = [name for page in pages for name in page]
    assert [len(page) for page in pages] == [FILMS_PER_PAGE, FILMS_PER_PAGE, 3]
    assert len(set(forwards)) == total
    back = [pages[-1]]
    while address := neighbour(response, "prev"):
        response = rania.get(address)
        back.insert(0, shown(response))
    assert back == pages


def neighbour(response: Any, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', flat(response.content))
    return found[1].replace("&amp;", "&") if found else ""


def test_a_film_uploaded_meanwhile_shifts_no_page(
    rania: Client, cast: Cast, active_model: ModelVersion
) -> None:
    films = [put_in(cast.alice, cast.project, number=number) for number in range(FILMS_PER_PAGE + 2)]
    first = ask(rania)
    put_in(cast.alice, cast.project, number=500)
    assert shown(rania.get(neighbour(first, "next"))) == names(films, 1, 0)


@pytest.mark.parametrize(
    "query",
    [
        {"status": "x"},
        {"result": "x"},
        {"review": "x"},
        {"project": "x"},
        {"uploader": "x"},
        {"since": "soon"},
        {"until": "2026-02-30"},
        {"sort": "password"},
        {"cursor": "x"},
        {"cursor": "W10"},
        {"q": "x" * 201},
        {"cursor": "W251bGwsIG51bGwsIG51bGxd"},
        {"cursor": "bnVsbA"},
        {"since": "0001-01-01", "cursor": "é"},
    ],
)
def test_a_filter_that_is_none_is_said_and_shows_no_films(
    rania: Client, five: list[Study], query: dict[str, str]
) -> None:
    response = ask(rania, **query)
    assert response.status_code == 400
    assert "These filters cannot be used" in response.content.decode()
    assert shown(response) == []


def test_a_cursor_of_another_sorting_is_none(rania: Client, five: list[Study]) -> None:
    cursor = Cursor("S-001", five[0].pk, False).encode(column="subject_code")
    assert ask(rania, sort="subject", cursor=cursor).status_code == 200
    assert ask(rania, sort="film", cursor=cursor).status_code == 400


@pytest.mark.parametrize(
    "query", [{"since": "0001-01-01"}, {"until": "9999-12-31"}, {"q": "9" * 40}, {"q": "\x00a"}]
)
def test_extreme_values_do_no_harm(rania: Client, five: list[Study], query: dict[str, str]) -> None:
    assert ask(rania, **query).status_code in (200, 400)


def test_htmx_gets_the_list_alone_under_a_clean_address(rania: Client, five: list[Study]) -> None:
    response = rania.get(
        reverse("studies"), {"q": "", "status": "failed", "result": ""}, headers={"HX-Request": "true"}
    )
    assert shown(response) == names(five, 3)
    assert "<html" not in response.content.decode()
    assert response.headers["HX-Push-Url"] == reverse("studies") + "?status=failed"
    assert "HX-Request" in response.headers["Vary"]
    assert "no-store" in response.headers["Cache-Control"]


def test_unfinished_films_and_only_those_are_asked_for_again(rania: Client, five: list[Study]) -> None:
    asked = re.findall(r'name="pending" value="([^"]+)"', ask(rania).content.decode())
    assert asked == [f"{five[4].uid}:queued"]


def test_empty_states_say_what_to_do(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    assert "No films yet" in ask(client).content.decode()
    assert "Take a filter away" in ask(client, q="PW-000001").content.decode()
    client.force_login(cast.nobody)
    assert "Your account has no role yet" in ask(client).content.decode()
    Project.objects.update(open_to_all=False)
    cast.rania.memberships.all().delete()
    client.force_login(cast.rania)
    assert "You are not in a project yet" in ask(client).content.decode()


def test_only_those_who_may_upload_are_offered_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    assert reverse("upload") not in ask(client).content.decode()
    client.force_login(cast.alice)
    assert reverse("upload") in ask(client).content.decode()


@pytest.mark.parametrize("count", [5, 50])
def test_the_number_of_questions_does_not_grow_with_the_films(
    rania: Client, cast: Cast, active_model: ModelVersion, count: int, record_property: Any
) -> None:
    for number in range(count):
        predict(put_in(cast.alice, cast.project, number=number), active_model, 0.5)
    with CaptureQueriesContext(connection) as queries:
        response = ask(rania)
    record_property("queries", len(queries))
    assert len(shown(response)) == min(count, FILMS_PER_PAGE)
    assert len(queries) <= MOST_QUERIES
    counts = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"].upper()]
    # The bell counts one's own few notifications; nothing counts films.
    assert all('FROM "diagnosis_notification"' in sql for sql in counts), counts
