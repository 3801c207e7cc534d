"""Helpers for the study page: opening it, its parts, accessibility."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

# A module is loaded once, so this is the page's own viewer, under a name for the tests' expressions.
_EXPOSE_VIEWER = """async () => {
    const entry = document.querySelector("script[type=module][src*='/study.']");
    window.viewer = (await import(entry.src)).viewer;
}"""


def show(page: Page, address: str) -> None:
    """Open the film's page and wait until the film is drawn."""
    page.goto(address)
    expect(page.locator("[data-viewer]")).to_have_attribute("data-ready", "true", timeout=15_000)
    page.evaluate(_EXPOSE_VIEWER)


def magnification(page: Page) -> int:
    """Per cent that the toolbar shows."""
    return int(page.locator("[data-zoom]").inner_text().rstrip("%"))


def heat(page: Page) -> Any:
    """The map's picture over the film."""
    return page.locator("img.pw-heat")


def check_accessibility(page: Page) -> None:
    """Run axe; the test fails with its report."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
