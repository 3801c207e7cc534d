"""A session ends while its page is open: the page leads to the sign-in page, and back."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.helpers.watch import Watch
from tests.e2e.helpers.web_server import WebServer
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.e2e

END_SESSION = "from django.contrib.sessions.models import Session; Session.objects.get(pk={key!r}).delete()"


@pytest.fixture
def page(browser: Browser, web_server: WebServer) -> Iterator[Page]:
    """A watched window with its own session, so that no other test's session ends."""
    watch = Watch(web_server.url)
    for words in ("status of 400", "Error Code 400"):
        watch.expect(words)  # a question under way at the very moment at which its session is deleted
    context = browser.new_context(base_url=web_server.url)
    page = watch.look_at(context.new_page())
    yield page
    context.close()
    assert watch.complaints == []


def sign_in(page: Page) -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def end_session(web_server: WebServer, page: Page) -> None:
    keys = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid"]
    web_server.manage("shell", "-c", END_SESSION.format(key=keys[0]))


def expect_sign_in(page: Page, *, back_to: str) -> None:
    """The whole page is the sign-in page, with nothing left of the old one."""
    expect(page).to_have_url(re.compile(f"/accounts/login/\\?next={re.escape(quote(back_to))}"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.locator("#films, .pw-poller, #study-status")).to_have_count(0)


def test_a_search_leads_to_the_sign_in_page_and_back_to_what_was_searched(
    page: Page, web_server: WebServer
) -> None:
    page.goto("/studies/?status=failed")
    with page.expect_response("**/studies/states/"):  # no film is unfinished: polling stops after one request
        sign_in(page)
    end_session(web_server, page)
    page.get_by_label("Search").fill("anything")
    expect_sign_in(page, back_to="/studies/?q=anything")
    sign_in(page)
    expect(page.get_by_label("Search")).to_have_value("anything")
    expect(page.locator("#films")).to_contain_text("No film fits")


def test_a_page_that_waits_for_a_film_leads_to_the_sign_in_page_and_back(
    page: Page, web_server: WebServer
) -> None:
    film = web_server.unread()
    page.goto(film)
    for address, waiting in ((film, "#study-status"), ("/studies/?status=running", "#films")):
        sign_in(page)
        page.goto(address)
        expect(page.locator(waiting)).to_contain_text("Being read")
        end_session(web_server, page)
        expect_sign_in(page, back_to=address)
    sign_in(page)
    expect(page.locator("#films")).to_contain_text("Being read")
