"""Dashboard, projects and prevalence dial in a real browser, on a desk and a phone, in both themes."""

import re
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect

from tests.e2e.helpers.room import Room
from tests.e2e.helpers.watch import Watch
from tests.e2e.test_pages import SIZES, fits, serious
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def session(room: Room) -> str:
    """The session of a reader with some films to count."""
    return room.run("make()", module="insight_scenes").splitlines()[-1]


@pytest.mark.parametrize(("size", "theme"), [("desk", "dark"), ("phone", "light")])
def test_figures_and_dial_are_accessible_and_the_dial_answers(
    browser: Browser, room: Room, session: str, size: str, theme: Any
) -> None:
    context = browser.new_context(base_url=room.url, viewport=SIZES[size], color_scheme=theme)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": room.url}])
    watch = Watch(room.url)
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
    browser: Browser, room: Room, session: str
) -> None:
    context = browser.new_context(base_url=room.url)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": room.url}])
    page = context.new_page()
    page.goto("/dashboard/?project=figures&version=figures-1")
    page.locator("#figure-roc").get_by_role("link", name="CSV").click()
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_download() as download:
        page.get_by_label("Password").press("Enter")
    assert download.value.suggested_filename.startswith("pneumoweb-roc-")
    context.close()
