"""Files about many films: a session that gave its password long ago is asked for it first, a token is not."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from diagnosis.models import Study
from tests.support.api import assert_problem, client_of
from tests.support.cast import PASSWORD, Cast

PAGES = [
    ("export-csv", []),
    ("export-xlsx", []),
    ("export-zip", []),
    ("dashboard-csv", ["volumes"]),
    ("project-report", ["ward-7"]),
]
API = ["api-export-csv", "api-export-xlsx"]


@pytest.fixture
def long_ago(client: Client, cast: Cast, finished_study: Study) -> Client:
    """Rania's browser, whose password was given long ago."""
    client.force_login(cast.rania)
    return client


@pytest.mark.parametrize(("name", "args"), PAGES)
def test_a_page_asks_for_the_password_and_then_gives_the_file(
    long_ago: Client, name: str, args: list[str]
) -> None:
    address = reverse(name, args=args)
    asked = long_ago.get(address)
    assert asked.status_code == 302
    assert urlsplit(asked["Location"]).path == reverse("account_reauthenticate")
    assert not AuditEvent.objects.filter(verb__contains="export").exists()
    assert not AuditEvent.objects.filter(verb__contains="report").exists()
    again = long_ago.post(asked["Location"], {"password": PASSWORD})
    given = long_ago.get(again["Location"])
    assert (given.status_code, given["Content-Disposition"][:10]) == (200, "attachment")


@pytest.mark.parametrize("name", API)
def test_the_api_says_so_to_a_session_and_gives_it_to_a_token(
    long_ago: Client, cast: Cast, name: str
) -> None:
    problem = assert_problem(long_ago.get(reverse(name)), 403, "reauthentication_required")
    assert reverse("account_reauthenticate") in problem["detail"]
    assert not AuditEvent.objects.filter(verb="films_exported").exists()
    long_ago.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert long_ago.get(reverse(name)).status_code == 200
    assert client_of(cast.rania).get(reverse(name)).status_code == 200
