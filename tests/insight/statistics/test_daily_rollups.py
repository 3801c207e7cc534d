"""The standing sums of days: always what the films say, whatever happened since they were written down."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from diagnosis.models import ModelVersion, Prediction, Study
from diagnosis.studies.trash import move_to_trash
from insight.models import ChangedHour, DayFigures
from insight.statistics import daily_rollups
from reading.models import Review
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast


@pytest.fixture
def films(cast: Cast, rob: User, active_model: ModelVersion) -> list[Study]:
    """60 films of four weeks in two projects, most of them read, their sums written down."""
    studies = bring_in(cast.project, cast.alice, active_model, films=40, weeks=4)
    bring_in(cast.other_project, cast.otto, active_model, films=20, weeks=4, seed=7)
    have_read(cast.rania, studies)
    while daily_rollups.refresh():
        pass
    assert not ChangedHour.objects.exists()
    return studies


def raw() -> dict[daily_rollups.ProjectDay, daily_rollups.Tally]:
    """Everything worked out from the films, nothing taken from what stands written."""
    films = Study.objects.values_list("project_id", "created_at")
    return daily_rollups.tallies_of({(project, timezone.localtime(at).date()) for project, at in films})


def standing(cast: Cast) -> dict[daily_rollups.ProjectDay, daily_rollups.Tally]:
    return daily_rollups.DailyRollups([cast.project.pk, cast.other_project.pk]).by_day()


def test_what_stands_written_equals_the_films(cast: Cast, films: list[Study]) -> None:
    assert standing(cast) == raw()
    assert sum(tally.counts["films"] for tally in standing(cast).values()) == 60
    assert DayFigures.objects.count() == len(raw())


def _trash(cast: Cast, film: Study) -> None:
    move_to_trash(actor=cast.adam, study=Study.objects.get(pk=film.pk))


def _finish(cast: Cast, film: Study) -> None:
    Prediction.objects.filter(status="queued").update(status="failed", failure_code="gave_up")


def _score(cast: Cast, film: Study) -> None:
    for result in Prediction.objects.filter(status="succeeded"):
        Prediction.objects.filter(pk=result.pk).update(
            calibrated_probability=1 - (result.calibrated_probability or 0)
        )


def _sign(cast: Cast, film: Study) -> None:
    Review.objects.create(
        study=film, reader=cast.otto, finding="other", confidence=9, signed_at=timezone.now()
    )


def _draft(cast: Cast, film: Study) -> None:
    unread = Study.objects.filter(project=cast.project, reviews=None).first()
    Review.objects.create(study=unread, reader=cast.otto, finding="other", confidence=9)


def _move(cast: Cast, film: Study) -> None:
    Study.objects.filter(pk=film.pk).update(created_at=film.created_at - timedelta(days=3))


def _delete(cast: Cast, film: Study) -> None:
    Review.objects.filter(study=film, signed_at=None).delete()
    Study.objects.filter(reviews=None).first().delete()  # type: ignore[union-attr]


@pytest.mark.parametrize("change", [_trash, _finish, _score, _sign, _draft, _move, _delete])
def test_a_change_is_in_the_sums_at_once_and_after_they_are_written_again(
    cast: Cast, films: list[Study], change: Callable[[Cast, Study], None]
) -> None:
    before = raw()
    change(cast, films[20])
    assert raw() != before
    assert standing(cast) == raw()
    counts = daily_rollups.DailyRollups([cast.project.pk, cast.other_project.pk]).counts()
    assert sum(found["films"] for found in counts.values()) == Study.objects.filter(deleted_at=None).count()
    daily_rollups.refresh()
    assert not ChangedHour.objects.exists()
    assert standing(cast) == raw()


def test_rebuilding_gives_the_same(cast: Cast, films: list[Study]) -> None:
    before = standing(cast)
    DayFigures.objects.update(films=77)
    assert standing(cast) != before
    daily_rollups.refresh_all()
    assert standing(cast) == before


def test_a_pass_takes_some_days_and_leaves_the_rest(cast: Cast, films: list[Study]) -> None:
    daily_rollups.mark_all_changed()
    assert daily_rollups.refresh(most_days=2) == 2
    assert ChangedHour.objects.exists()
    assert standing(cast) == raw()
