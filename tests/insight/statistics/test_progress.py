"""Projects: who sees which, their counts, medians, links, and the cost of the pages."""

from datetime import timedelta
from statistics import median

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.models import ModelVersion, Prediction, Project, Study
from diagnosis.studies.trash import move_to_trash
from insight.statistics.progress import detail_of, progress_of
from reading.models import Review
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast


@pytest.fixture
def films(cast: Cast, rob: User, active_model: ModelVersion) -> list[Study]:
    """80 films of Ward 7 that Rania has signed for the most part, and three elsewhere."""
    studies = bring_in(cast.project, cast.alice, active_model, films=80)
    have_read(cast.rania, studies)
    bring_in(cast.other_project, cast.otto, active_model, films=3, seed=7)
    return studies


def text_of(person: User, address: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_counts_and_medians_are_those_of_the_rows(cast: Cast, films: list[Study]) -> None:
    (found,) = progress_of(cast.rania, [cast.project])
    states = list(Prediction.objects.filter(study__project=cast.project).values_list("status", flat=True))
    signed = Review.objects.reads().values("study").distinct().count()
    assert (found.films, found.ready) == (80, states.count("succeeded"))
    assert (found.waiting, found.failed) == (states.count("queued"), states.count("failed"))
    assert (found.reviewed, found.signed, found.signed_percent) == (signed, signed, 100 * signed // 80)
    done = Prediction.objects.filter(study__project=cast.project, status="succeeded").select_related("study")
    waits = [(one.finished_at - one.study.created_at).total_seconds() for one in done]  # type: ignore[operator]
    assert found.to_result == pytest.approx(median(waits), rel=0.05)  # in steps of 2%
    reads = [
        (one.signed_at - one.study.created_at).total_seconds()
        for one in Review.objects.select_related("study")
    ]  # type: ignore[operator]
    assert found.to_signature == pytest.approx(median(reads), rel=0.05)


def test_the_newest_reading_of_a_film_decides_and_drafts_are_reviews(cast: Cast, films: list[Study]) -> None:
    failed = Prediction.objects.filter(status="failed").first()
    assert failed is not None
    before = progress_of(cast.aude, [cast.project])[0]
    Prediction.objects.create(
        study=failed.study, model_version=failed.model_version, requested_by=cast.alice, status="queued"
    )
    unread = Study.objects.filter(project=cast.project, reviews=None).first()
    assert unread is not None
    Review.objects.create(study=unread, reader=cast.rania, finding="normal", confidence=50)
    after = progress_of(cast.aude, [cast.project])[0]
    assert (after.waiting, after.failed) == (before.waiting + 1, before.failed - 1)
    assert (after.reviewed, after.signed) == (before.reviewed + 1, before.signed)


def test_films_in_the_trash_do_not_count(cast: Cast, films: list[Study]) -> None:
    move_to_trash(actor=cast.adam, study=Study.objects.get(pk=films[0].pk))
    assert progress_of(cast.aude, [cast.project])[0].films == 79


def test_old_films_have_no_part_in_the_medians(cast: Cast, films: list[Study]) -> None:
    for film in Study.objects.all():
        Study.objects.filter(pk=film.pk).update(created_at=film.created_at - timedelta(weeks=60))
    found = progress_of(cast.aude, [cast.project])[0]
    assert (found.films, found.to_result, found.to_signature) == (80, None, None)


def test_readers_are_listed_with_what_they_signed(cast: Cast, films: list[Study]) -> None:
    found = {one.name: one.signed for one in detail_of(cast.project)[1]}
    assert found == {"rania": Review.objects.count(), "rob": 0}


def test_people_see_their_own_projects_alone(cast: Cast, films: list[Study]) -> None:
    page = text_of(cast.otto, reverse("projects"))
    assert "Elsewhere" in page
    assert "Ward 7" not in page
    client = Client()
    client.force_login(cast.otto)
    assert client.get(reverse("project", args=["ward-7"])).status_code == 404
    assert client.get(reverse("project", args=["not-there"])).status_code == 404


def test_who_works_nowhere_learns_what_to_do(cast: Cast) -> None:
    Project.objects.update(open_to_all=False)
    assert "You work in no project yet" in text_of(cast.nobody, reverse("projects"))


def test_the_page_leads_to_films_worklist_dashboard_and_for_administrators_to_the_members(
    cast: Cast, films: list[Study]
) -> None:
    members = reverse("admin:diagnosis_project_change", args=[cast.project.pk])
    page = text_of(cast.rania, reverse("project", args=["ward-7"]))
    for link in ("/studies/?project=ward-7", "/worklist/?project=ward-7", "/dashboard/?project=ward-7"):
        assert link in page
    assert members not in page
    page = text_of(cast.adam, reverse("project", args=["ward-7"]))
    assert members in page
    assert "memberships-0-user" in text_of(cast.adam, members)


@pytest.mark.parametrize("address", ["/projects/", "/projects/ward-7/"])
def test_the_number_of_questions_does_not_grow(
    cast: Cast, rob: User, active_model: ModelVersion, address: str
) -> None:
    asked = []
    client = Client()
    client.force_login(cast.adam)
    client.get(reverse("home"))  # prolongs the session, which the next minute's pages need not do
    for films in (1, 40):
        studies = bring_in(cast.project, cast.alice, active_model, films=films, seed=films)
        have_read(cast.rania, studies)
        bring_in(
            Project.objects.create(slug=f"p-{films}", name=f"P {films}"),
            cast.alice,
            active_model,
            films=films,
        )
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 14
