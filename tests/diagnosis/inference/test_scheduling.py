"""Fair scheduling: however many films of one project wait, those of another are analysed in turn."""

from typing import Any

import pytest

from diagnosis.inference import scheduling
from diagnosis.inference.scheduling import RoundRobin
from diagnosis.inference.worker import claim_next, claim_prediction, fail
from diagnosis.models import ModelVersion, Prediction, Project, Study
from tests.support.cast import Cast
from tests.support.inputs.film_rows import film_row

Status = Prediction.Status


@pytest.fixture(autouse=True)
def _a_new_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "_round_robin", RoundRobin())


@pytest.fixture
def films(cast: Cast, active_model: ModelVersion) -> Any:
    """Queue films, as those of a batch by default; return their predictions' ids."""

    def add(project: Project, count: int, *, in_batch: bool = True) -> list[str]:
        first = Study.objects.count()
        studies = Study.objects.bulk_create(
            film_row(first + number, project=project, uploaded_by=cast.alice) for number in range(count)
        )
        rows = Prediction.objects.bulk_create(
            Prediction(study=study, model_version=active_model, requested_by=cast.alice, in_batch=in_batch)
            for study in studies
        )
        return [str(row.uid) for row in rows]

    return add


def analyse(messages: list[str]) -> list[str]:
    """Let a worker handle the messages; return the project of each film that it analysed, in that order."""
    projects = []
    for message in messages:
        claim = claim_next(message)
        if claim is not None:
            projects.append(claim.row.study.project.slug)
            fail(claim, "gave_up")
    return projects


def test_two_backlogs_are_analysed_in_turn_and_nothing_is_left(cast: Cast, films: Any) -> None:
    many, few = films(cast.project, 120), films(cast.other_project, 4)
    order = analyse(many + few)
    assert order[:8] == ["ward-7", "elsewhere"] * 4
    assert order[8:] == ["ward-7"] * 116
    assert not Prediction.objects.filter(status=Status.QUEUED).exists()


def test_a_project_that_comes_later_is_served_next(
    cast: Cast, films: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_REFILL_SECONDS", 0)
    many = films(cast.project, 20)
    assert analyse(many[:5]) == ["ward-7"] * 5
    few = films(cast.other_project, 2)
    assert analyse([*many[5:9], *few])[:4] == ["elsewhere", "ward-7", "elsewhere", "ward-7"]


def test_a_film_uploaded_singly_is_the_one_that_is_claimed(cast: Cast, films: Any) -> None:
    films(cast.project, 5)
    (single,) = films(cast.project, 1, in_batch=False)
    claim = claim_next(single)
    assert claim is not None
    assert str(claim.row.uid) == single


def test_films_claimed_by_another_worker_are_skipped(cast: Cast, films: Any) -> None:
    messages = films(cast.project, 4)
    taken = claim_next(messages[0])
    assert taken is not None
    left = set(messages) - {str(taken.row.uid)}
    gone = sorted(left)[:2]
    assert [claim_prediction(uid) is not None for uid in gone] == [True, True]
    claim = claim_next(messages[0])
    assert claim is not None
    assert {str(claim.row.uid)} == left - set(gone)
    assert claim_next(messages[0]) is None


def test_the_next_film_is_known_before_it_is_claimed(cast: Cast, films: Any) -> None:
    messages = films(cast.project, 5) + films(cast.other_project, 5)
    assert scheduling.likely_next() is None
    claim_next(messages[0])
    for _ in range(8):
        expected = scheduling.likely_next()
        claim = claim_next(messages[0])
        assert claim is not None
        assert str(claim.row.uid) == expected


def test_refilling_from_a_long_backlog_takes_one_query(
    cast: Cast, films: Any, django_assert_num_queries: Any
) -> None:
    films(cast.project, 300)
    films(cast.other_project, 300)
    upcoming = RoundRobin().films()
    with django_assert_num_queries(1):
        assert len({next(upcoming) for _ in range(100)}) == 100
