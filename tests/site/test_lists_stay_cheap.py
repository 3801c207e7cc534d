"""The cost of lists does not depend on the number of films: as many queries, none that counts films."""

import re
from collections.abc import Sequence

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import roles
from core.sqlite_statistics import write_statistics
from diagnosis.models import ModelVersion, Prediction, ProjectMembership, Study
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast

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


def _asked(user: User, pages: Sequence[str] = PAGES) -> dict[str, list[str]]:
    client, found = Client(), {}
    client.force_login(user)
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200, page
        found[page] = [query["sql"] for query in queries.captured_queries]
    return found


def test_lists_take_as_many_queries_for_a_hundred_films_as_for_ten_and_never_count_them(
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


_FILM = ('SELECT "diagnosis_study"."id"', 'SELECT "diagnosis_prediction"."id"')
_FOUND_THEN_SORTED = {"/studies/?q=S-000"}  # by how codes begin, which have an order of their own
_SORTED = re.compile(r"USE TEMP B-TREE FOR (?:LAST \d+ TERMS? OF |RIGHT PART OF )?ORDER BY")


def _sorting(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return any(_SORTED.search(step) for *_numbers, step in cursor.fetchall())


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="SQLite's plans; PostgreSQL's follow its own counts"
)
def test_sqlite_lists_films_in_the_order_of_an_index(
    cast: Cast, rob: User, active_model: ModelVersion
) -> None:
    write_statistics(connection)
    studies = bring_in(cast.project, cast.alice, active_model, films=12, seed=12)
    have_read(cast.rania, studies[2:])
    _one_of_each_kind(studies)
    readers = ("/studies/", "/worklist/", "/discordance/", "/api/v1/studies/", "/api/v1/predictions/")
    pages = [page for page in PAGES if page.startswith(readers)]
    asked = _asked(cast.rania, pages)
    lists = {
        page: sql
        for page in pages
        for sql in asked[page]
        if sql.startswith(_FILM) and " LIMIT " in sql and "ORDER BY" in sql
    }
    assert set(pages) - set(lists) == {"/studies/?q=zebra"}  # nobody is called so: no list is asked for
    assert {page for page, sql in lists.items() if _sorting(sql)} <= _FOUND_THEN_SORTED
