"""Lists cost the same however many films there are: as many questions, and none that counts the films."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from diagnosis import roles
from diagnosis.models import ModelVersion, Prediction, ProjectMembership, Study
from tests.cast import Cast
from tests.insight.some_hundred import bring_in, have_read

PAGES = (
    "/studies/", "/studies/?q=S-000", "/studies/?q=zebra", "/studies/?status=failed",
    "/studies/?result=pneumonia", "/studies/?result=borderline", "/studies/?review=disagreed",
    "/studies/?review=unreviewed", "/studies/?sort=-probability", "/studies/?sort=subject",
    "/worklist/", "/worklist/?order=score", "/discordance/", "/adjudication/", "/trash/", "/dashboard/",
    "/projects/", "/projects/ward-7/", "/exports/", "/batches/", "/notifications/", "/audit/",
    "/api/v1/studies/", "/api/v1/studies/?status=failed", "/api/v1/predictions/", "/api/v1/reviews/",
    "/api/v1/projects/", "/api/v1/audit/",
)  # fmt: skip
_COUNT_OF_FILMS = re.compile(r'^SELECT COUNT\([^)]*\) AS "\w+" FROM "diagnosis_study"')


@pytest.fixture
def everybody(cast: Cast, active_model: ModelVersion) -> User:
    """Somebody with every role, so that each page opens; a reader, so that withholding is asked about."""
    somebody = User.objects.create_user("somebody")
    somebody.groups.set(Group.objects.filter(name__in=roles.ALL_ROLES))
    ProjectMembership.objects.create(project=cast.project, user=somebody)
    return somebody


def _one_of_each_kind(studies: list[Study]) -> None:
    """See to it that each filter finds something, else a list asks for less than it does otherwise."""
    failed, borderline = (Prediction.objects.filter(study=film) for film in studies[:2])
    failed.update(status="failed", outcome="", calibrated_probability=None)
    borderline.update(status="succeeded", outcome="pneumonia", calibrated_probability=0.5, cam=[[0.0]])


def _asked(user: User) -> dict[str, list[str]]:
    client, found = Client(), {}
    client.force_login(user)
    for page in PAGES:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200, page
        found[page] = [query["sql"] for query in queries.captured_queries]
    return found


def test_lists_ask_the_same_of_ten_films_and_of_a_hundred_and_never_count_them(
    cast: Cast, rob: User, everybody: User, active_model: ModelVersion
) -> None:
    for films in (10, 90):
        studies = bring_in(cast.project, cast.alice, active_model, films=films, seed=films)
        have_read(cast.rania, studies[2:])
        have_read(rob, studies[2:], skill=0.6, seed=3)
        _one_of_each_kind(studies)
        if films == 10:
            few = _asked(everybody)
    many = _asked(everybody)
    grown = {page: (len(few[page]), len(many[page])) for page in PAGES if len(many[page]) > len(few[page])}
    assert grown == {}
    counting = {page: sql for page in PAGES for sql in many[page] if _COUNT_OF_FILMS.search(sql)}
    assert counting == {}
