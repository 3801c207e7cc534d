"""One film in German, as a German browser asks for it: sign-in, upload, result, review."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.helpers.people import film
from tests.e2e.helpers.watch import Watch
from tests.e2e.test_pages import DISCLAIMER, serious
from tests.project.test_translations import Words, in_other_words
from tests.support.servers.stack import ADMIN_PASSWORD, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow, pytest.mark.worker]


def check(page: Page) -> None:
    """The page says that it is German, holds no English text but the disclaimer, and is accessible."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    words = Words()
    words.feed(page.content())
    names = {DISCLAIMER, "Jet", "Hot", "Bone", "Viridis"}
    assert words.said & in_other_words("de") <= names
    expect(page.get_by_text(DISCLAIMER)).to_be_visible()
    assert serious(page) == []


def test_one_film_from_sign_in_to_the_review_in_german(browser: Browser, system: Stack, watch: Watch) -> None:
    context = browser.new_context(
        base_url=system.url, locale="de-DE", viewport={"width": 1280, "height": 900}
    )
    page = watch.look_at(context.new_page())
    page.goto("/")
    check(page)
    page.get_by_label("Benutzername").fill("kim")
    page.get_by_label("Kennwort").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aufnahmen")

    page.get_by_role("link", name="Hochladen", exact=True).click()
    page.locator("input[name=file]").set_input_files([film(4711)])
    expect(page.locator(".pw-upload")).to_contain_text(re.compile(r"\d,\d MB, bereit zum Hochladen"))
    check(page)
    page.get_by_role("button", name="1 Aufnahme hochladen").click()
    expect(page.locator(".pw-upload")).to_contain_text("Hochgeladen als PW-")
    page.get_by_role("link", name=re.compile(r"^PW-\d+ öffnen$")).click()

    expect(page.locator(".pw-verdict")).to_contain_text(re.compile("Arbeitspunkt"), timeout=60_000)
    expect(page.locator(".pw-score")).to_contain_text(re.compile(r"\d+,\d\s%"))
    expect(page.locator("time").first).to_have_text(re.compile(r"^\d+\. [A-Z]\w+ \d{4}, \d\d:\d\d:\d\d$"))
    expect(page.get_by_role("group", name="Ihr eigener Befund")).to_be_visible()
    expect(page.get_by_role("button", name="Entwurf speichern")).to_be_visible()
    check(page)

    page.get_by_label("Konto von kim").click()
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("Cuenta de kim").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en-gb")
    context.close()
