"""Fairness between projects: however many films of one wait, those of another are read in turn."""

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
    """Put films into the queue, by a batch unless told otherwise; return the ids of their rings."""

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


def read(rings: list[str]) -> list[str]:
    """Let a worker answer the rings; return the project of each film that it read, in that order."""
    read_projects = []
    for ring in rings:
        claim = claim_next(ring)
        if claim is not None:
            read_projects.append(claim.row.study.project.slug)
            fail(claim, "gave_up")
    return read_projects


def test_two_backlogs_go_on_in_turn_and_nothing_is_left(cast: Cast, films: Any) -> None:
    many, few = films(cast.project, 120), films(cast.other_project, 4)
    order = read(many + few)
    assert order[:8] == ["ward-7", "elsewhere"] * 4
    assert order[8:] == ["ward-7"] * 116
    assert not Prediction.objects.filter(status=Status.QUEUED).exists()


def test_a_project_that_comes_later_is_served_next(
    cast: Cast, films: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_REFILL_SECONDS", 0)
    many = films(cast.project, 20)
    assert read(many[:5]) == ["ward-7"] * 5
    few = films(cast.other_project, 2)
    assert read([*many[5:9], *few])[:4] == ["elsewhere", "ward-7", "elsewhere", "ward-7"]


def test_a_film_sent_by_itself_is_the_one_that_is_read(cast: Cast, films: Any) -> None:
    films(cast.project, 5)
    (lone,) = films(cast.project, 1, in_batch=False)
    claim = claim_next(lone)
    assert claim is not None
    assert str(claim.row.uid) == lone


def test_what_another_worker_has_taken_is_passed_over(cast: Cast, films: Any) -> None:
    rings = films(cast.project, 4)
    taken = claim_next(rings[0])
    assert taken is not None
    left = set(rings) - {str(taken.row.uid)}
    gone = sorted(left)[:2]
    assert [claim_prediction(uid) is not None for uid in gone] == [True, True]
    claim = claim_next(rings[0])
    assert claim is not None
    assert {str(claim.row.uid)} == left - set(gone)
    assert claim_next(rings[0]) is None


def test_the_next_film_can_be_known_before_its_turn(cast: Cast, films: Any) -> None:
    rings = films(cast.project, 5) + films(cast.other_project, 5)
    assert scheduling.likely_next() is None
    claim_next(rings[0])
    for _ in range(8):
        expected = scheduling.likely_next()
        claim = claim_next(rings[0])
        assert claim is not None
        assert str(claim.row.uid) == expected


def test_a_look_at_a_long_backlog_is_one_question(
    cast: Cast, films: Any, django_assert_num_queries: Any
) -> None:
    films(cast.project, 300)
    films(cast.other_project, 300)
    line = RoundRobin().films()
    with django_assert_num_queries(1):
        assert len({next(line) for _ in range(100)}) == 100
