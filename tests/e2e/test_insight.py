"""Dashboard, projects and predictive values at a prevalence, on desktop and phone, in both themes."""

import re
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect

from tests.e2e.helpers.watch import Watch
from tests.e2e.helpers.web_server import WebServer
from tests.e2e.test_pages import SIZES, fits, serious
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def session(web_server: WebServer) -> str:
    """The session of a reader with some films to count."""
    return web_server.run("make()", module="insight_scenes").splitlines()[-1]


@pytest.mark.parametrize(("size", "theme"), [("desk", "dark"), ("phone", "light")])
def test_figures_and_prevalence_are_accessible_and_the_prevalence_changes_the_values(
    browser: Browser, web_server: WebServer, session: str, size: str, theme: Any
) -> None:
    context = browser.new_context(base_url=web_server.url, viewport=SIZES[size], color_scheme=theme)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web_server.url}])
    watch = Watch(web_server.url)
    page = watch.look_at(context.new_page())
    for address in ("/projects/", "/projects/figures/", "/dashboard/?project=figures&version=figures-1"):
        page.goto(address)
        assert serious(page) == [], address
        assert fits(page), address
    curve = page.locator("#figure-roc")
    expect(curve.get_by_role("img")).to_have_accessible_name(re.compile("^Area under the curve"))
    curve.get_by_text("Table").click()
    expect(curve.get_by_role("columnheader", name="Sensitivity")).to_be_visible()
    dial = page.get_by_label("Local prevalence of pneumonia")
    dial.fill("1")
    expect(page.locator("#dial-result")).to_contain_text("At a prevalence of 1%, 9.2 alarms are expected")
    expect(dial).to_be_focused()
    dial.fill("100")
    expect(page.locator("#dial-result .pw-fielderror")).to_be_visible()
    assert serious(page) == []
    context.close()
    assert [words for words in watch.complaints if "422" not in words] == []


def test_a_figure_is_downloaded_once_the_password_was_given_again(
    browser: Browser, web_server: WebServer, session: str
) -> None:
    context = browser.new_context(base_url=web_server.url)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web_server.url}])
    page = context.new_page()
    page.goto("/dashboard/?project=figures&version=figures-1")
    page.locator("#figure-roc").get_by_role("link", name="CSV").click()
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_download() as download:
        page.get_by_label("Password").press("Enter")
    assert download.value.suggested_filename.startswith("pneumoweb-roc-")
    context.close()
