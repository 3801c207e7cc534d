"""With the keyboard alone: sign in, upload, find and open a film, review and sign it, sign out."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.helpers.people import film
from tests.e2e.helpers.watch import Watch
from tests.support.servers.stack import ADMIN_PASSWORD, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]

MOST_TABS = 60


def tab_to(page: Page, description: str, selector: str) -> None:
    """Press Tab until the element has the focus."""
    wanted = page.locator(selector).first
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{description} cannot be reached with Tab")


def has_focus_ring(page: Page) -> bool:
    """True when the focused element, or its row or label, has a visible outline."""
    return bool(
        page.evaluate("""() => {
          const active = document.activeElement;
          const shown = [active, active.closest("tr"), active.nextElementSibling].filter(Boolean);
          return shown.some((element) => {
            const style = getComputedStyle(element);
            return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          });
        }""")
    )


def review_and_sign(page: Page) -> None:
    """Disagree with the result, give finding and confidence, and sign."""
    tab_to(page, "The agreement", "input[name=agrees_with_ai]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "The finding", "input[name=finding]")
    page.keyboard.press("ArrowDown")
    assert has_focus_ring(page)
    tab_to(page, "The certainty", "input[name=confidence]")
    page.keyboard.type("80")
    tab_to(page, "The password", "input[name=password]")
    assert has_focus_ring(page)
    page.keyboard.type(ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your read is signed and final.")).to_be_visible()


def test_from_sign_in_to_a_film_and_out_again(browser: Browser, system: Stack, watch: Watch) -> None:
    context = browser.new_context(base_url=system.url, viewport={"width": 1280, "height": 900})
    page = watch.look_at(context.new_page())
    page.goto("/upload/")
    page.keyboard.type("kim")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload films")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    tab_to(page, "The subject code", "#id_subject_code")
    assert has_focus_ring(page)
    page.keyboard.type("KEYS-1")
    tab_to(page, "The file picker", "input[name=file]")
    assert has_focus_ring(page)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([film(801)])
    tab_to(page, "The upload button", "[data-submit]")
    page.keyboard.press("Enter")
    expect(page.locator(".pw-upload")).to_contain_text("Uploaded as")

    page.goto("/studies/")
    tab_to(page, "The search field", "#id_q")
    page.keyboard.type("KEYS-1")
    expect(page.locator(".pw-films tbody tr")).to_have_count(1)
    tab_to(page, "The film", ".pw-rowlink")
    assert has_focus_ring(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/studies/[0-9a-f-]{36}/$"))

    expect(page.locator(".pw-verdict")).to_be_visible()
    review_and_sign(page)

    page.goto("/studies/")
    tab_to(page, "The account menu", "details.pw-menu > summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    page.keyboard.press("Enter")
    tab_to(page, "Sign out", ".pw-menu-panel form[action$='/logout/'] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    context.close()
