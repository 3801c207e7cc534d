"""General pages: in both themes, on desktop and phone, signed in and signed out."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.helpers.people import SignIn, film
from tests.e2e.helpers.watch import Watch
from tests.support.servers.stack import ADMIN_PASSWORD, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]

Theme = Literal["light", "dark"]
DISCLAIMER = "Research and education only. Not for clinical use."
SIZES: dict[str, ViewportSize] = {
    "desk": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
PAGES = {
    "films": "/studies/",
    "no film fits": "/studies/?q=nothing-like-this",
    "all filters open": "/studies/?project=ward-7&status=failed",
    "a filter that is none": "/studies/?status=x",
    "upload": "/upload/",
    "change password": "/accounts/password_change/",
    "not found": "/nowhere/",
}


def serious(page: Page) -> list[str]:
    """Violations of serious or critical impact that axe finds."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {[node['target'] for node in item['nodes']][:3]}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


def fits(page: Page) -> bool:
    """True when the page does not scroll horizontally."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture(scope="module")
def one_film(signed_in: SignIn) -> None:
    """The history is not empty."""
    context = signed_in.context("alice")
    page = context.new_page()
    page.goto("/upload/")
    page.locator("input[name=file]").set_input_files([film(701)])
    page.get_by_role("button", name="Upload 1 film").click()
    expect(page.locator(".pw-upload")).to_contain_text(re.compile("Uploaded as|Already here"))
    context.close()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    chosen: Theme = request.param
    return chosen


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page_of_alice(signed_in: SignIn, watch: Watch, theme: Theme, size: str, one_film: None) -> Iterator[Page]:
    context = signed_in.context("alice", viewport=SIZES[size], color_scheme=theme)
    yield watch.look_at(context.new_page())
    context.close()


def test_pages_are_accessible_and_fit(page_of_alice: Page, watch: Watch) -> None:
    watch.expect("status of 404")
    watch.expect("status of 400")
    for name, address in PAGES.items():
        page_of_alice.goto(address)
        page_of_alice.wait_for_load_state("networkidle")
        assert serious(page_of_alice) == [], name
        assert fits(page_of_alice), name
        expect(page_of_alice.get_by_text(DISCLAIMER)).to_be_visible()


def test_the_sign_in_page_is_accessible_and_fits(
    browser: Browser, system: Stack, watch: Watch, theme: Theme, size: str
) -> None:
    context = browser.new_context(base_url=system.url, viewport=SIZES[size], color_scheme=theme)
    page = watch.look_at(context.new_page())
    page.goto("/accounts/login/")
    assert serious(page) == []
    assert fits(page)
    expect(page.get_by_text(DISCLAIMER)).to_be_visible()
    context.close()


def test_a_wrong_password_is_said(browser: Browser, system: Stack, watch: Watch) -> None:
    context = browser.new_context(base_url=system.url)
    page = watch.look_at(context.new_page())
    page.goto("/studies/")
    page.get_by_label("User name").fill("nora")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")
    assert serious(page) == []
    context.close()


def test_the_theme_is_chosen_and_kept_for_the_person(signed_in: SignIn, watch: Watch) -> None:
    context = signed_in.context("nora", color_scheme="light")
    page = watch.look_at(context.new_page())
    page.goto("/studies/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    switch = page.get_by_role("button", name=re.compile("^Theme"))
    with page.expect_response("**/preferences/theme/") as kept:
        switch.click()
        switch.click()
    assert kept.value.status == 204
    expect(switch).to_have_accessible_name("Theme: dark. Change to that of the system.")
    context.close()
    elsewhere = signed_in.context("nora", color_scheme="light", java_script_enabled=False)
    page = elsewhere.new_page()
    page.goto("/studies/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    elsewhere.close()


def test_a_newcomer_without_a_role_learns_what_to_do(signed_in: SignIn, watch: Watch) -> None:
    context = signed_in.context("nora")
    page = watch.look_at(context.new_page())
    page.goto("/studies/?project=ward-7&q=nothing")
    expect(page.get_by_role("link", name="Upload")).to_have_count(0)
    page.goto("/studies/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Films")
    context.close()


def test_after_signing_out_pages_ask_for_a_sign_in(browser: Browser, system: Stack, watch: Watch) -> None:
    context = browser.new_context(base_url=system.url)
    page = watch.look_at(context.new_page())
    page.goto("/")
    page.get_by_label("User name").fill("rania")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Account of rania").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    page.goto("/studies/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    context.close()
