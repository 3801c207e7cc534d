"""Who is no longer signed in: parts of pages lead the whole page to the sign-in page, and back afterwards."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from diagnosis.models import Study
from tests.support.cast import PASSWORD, Cast

SITE = "http://testserver"
SIGN_IN = "/accounts/login/"

pytestmark = pytest.mark.django_db


def ask(client: Client, address: str, *, on: str, method: str = "GET") -> Any:
    """Ask as htmx does, from the page `on`."""
    return client.generic(method, address, headers={"HX-Request": "true", "HX-Current-URL": SITE + on})


def way_back(response: Any) -> str:
    """Return where the sign-in page leads afterwards; the answer holds nothing that could be pasted."""
    assert (response.status_code, response.content) == (204, b"")
    assert "no-store" in response.headers["Cache-Control"]
    address = urlsplit(response.headers["HX-Redirect"])
    assert (address.netloc, address.path) == ("", SIGN_IN)
    return parse_qs(address.query)["next"][0]


def test_a_search_leads_to_the_sign_in_page_and_back_to_what_was_searched(client: Client) -> None:
    response = ask(client, "/studies/?q=S-017&status=failed", on="/studies/?status=failed")
    assert way_back(response) == "/studies/?q=S-017&status=failed"


@pytest.mark.parametrize("page", ["/studies/?status=queued", "/upload/"])
def test_the_question_about_unfinished_films_leads_back_to_the_page_that_asked(
    client: Client, page: str
) -> None:
    assert way_back(ask(client, reverse("study-states"), on=page, method="POST")) == page


@pytest.mark.parametrize("part", ["study-status", "study-reviews", "study-retry"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_part_of_the_study_page_leads_back_to_the_study_page(
    client: Client, study: Study, part: str, method: str
) -> None:
    page = study.get_absolute_url()
    assert way_back(ask(client, reverse(part, args=[study.uid]), on=page, method=method)) == page


@pytest.mark.parametrize("page", ["https://elsewhere.example/studies/", "", "/\\elsewhere.example"])
def test_another_host_is_no_way_back(client: Client, page: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    back = way_back(client.post(reverse("study-states"), headers=headers))
    signed_in = client.post(
        f"{SIGN_IN}?next={back}", {"username": "nobody", "password": PASSWORD}, headers={"HX-Request": "true"}
    )
    assert back == "/"
    assert "HX-Redirect" not in signed_in.headers


def test_signing_in_again_leads_back_to_the_list(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    assert ask(client, "/studies/?q=x", on="/studies/").status_code == 200
    Session.objects.all().delete()
    address = ask(client, "/studies/?q=x", on="/studies/").headers["HX-Redirect"]
    response = client.post(address, {"username": "alice", "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (302, "/studies/?q=x")


def test_a_whole_page_is_redirected_as_ever(client: Client) -> None:
    response = client.get("/studies/?q=x")
    assert (response.status_code, response.headers["Location"]) == (302, f"{SIGN_IN}?next=/studies/%3Fq%3Dx")


def test_other_redirects_of_htmx_stay_redirects(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.alice)
    finished_study.predictions.update(
        status="failed", calibrated_probability=None, failure_code="gave_up", cam=None
    )
    page = finished_study.get_absolute_url()
    response = ask(client, reverse("study-retry", args=[finished_study.uid]), on=page, method="POST")
    assert (response.status_code, response.headers["Location"]) == (302, page)
