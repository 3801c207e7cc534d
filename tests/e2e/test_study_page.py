"""The study page in a real browser: film and map, a result that arrives, reviews, downloads, phones."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenWindow
from tests.e2e.helpers.study_page import check_accessibility, heat, show
from tests.e2e.helpers.watch import Watch
from tests.e2e.helpers.web_server import WebServer

pytestmark = pytest.mark.e2e
expect.set_options(timeout=15_000)


def test_film_and_map_are_shown(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    expect(heat(page)).to_have_css("opacity", "0.4")
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(page.get_by_text("Research and education only. Not for clinical use.").first).to_be_visible()


def test_the_map_is_switched_and_made_fainter(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-alpha]").fill("0.8")
    expect(heat(page)).to_have_css("opacity", "0.8")
    expect(page.locator("[data-alpha-text]")).to_have_text("80%")
    page.locator("[data-map-switch]").uncheck()
    expect(heat(page)).to_have_css("opacity", "0")
    page.locator("[data-map-switch]").check()
    expect(heat(page)).to_have_css("opacity", "0.8")


def test_other_colours_change_map_legend_and_downloads_and_are_kept(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-colour-map]").select_option("VIRIDIS")
    expect(heat(page)).to_have_attribute("src", re.compile("colour_map=VIRIDIS"))
    expect(page.locator("[data-stop]").first).to_have_attribute("stop-color", "#440154")
    overlay = page.get_by_role("link", name="Overlay")
    expect(overlay).to_have_attribute("href", re.compile("colour_map=VIRIDIS&alpha=0.4&style=heat"))
    show(page, film)
    expect(page.locator("[data-colour-map]")).to_have_value("VIRIDIS")
    expect(heat(page)).to_have_attribute("src", re.compile("colour_map=VIRIDIS"))


def test_a_result_appears_without_reload_and_polling_stops(window: OpenWindow, web_server: WebServer) -> None:
    address, page = web_server.unread(), window("rania")
    show(page, address)
    expect(page.get_by_role("heading", name="The AI is reading this film")).to_be_visible()
    expect(page.locator("[data-map-controls]")).to_be_hidden()
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    expect(page.get_by_text("Do you agree with the AI?")).to_be_hidden()
    page.locator(".openseadragon-canvas").focus()
    for key in "mscv":  # keys of the map: there is none yet
        page.keyboard.press(key)
    expect(page.locator("[data-viewer]")).to_have_attribute("data-ready", "true")
    expect(page.locator("[data-divider]")).to_be_hidden()
    assert page.locator(".pw-map").count() == 0
    with page.expect_request(re.compile("/status/")):
        pass
    web_server.finish(address)
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(heat(page)).to_have_css("opacity", "0.4")
    expect(page.get_by_role("link", name="Side by side")).to_be_visible()
    expect(page.get_by_text("Do you agree with the AI?")).to_be_visible()
    expect(page.locator("[data-announcer]")).to_contain_text("The score speaks for pneumonia.")
    assert page.locator("[hx-trigger='every 1s']").count() == 0


def test_input_from_before_the_result_is_kept_and_saved(
    window: OpenWindow, web_server: WebServer, web_watch: Watch
) -> None:
    web_watch.expect("status of 422")
    address, page = web_server.unread(), window("rania")
    show(page, address)
    page.get_by_label("Comment").fill("Typed before the result.")
    page.get_by_label("Pneumonia", exact=True).check()
    page.locator("input[name=confidence]").fill("65")
    web_server.finish(address)
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Say whether you agree with the AI.")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("Typed before the result.")
    page.get_by_label("Agree", exact=True).check()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Your draft is saved.")).to_be_visible()
    own = page.locator(".pw-review-own")
    expect(own).to_contain_text("Pneumonia 65% sure, agrees with the AI")
    expect(own).to_contain_text("Typed before the result.")


def test_slider_and_number_of_the_confidence_follow_each_other(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-confidence-slider]").fill("35")
    expect(page.locator("input[name=confidence]")).to_have_value("35")
    page.locator("input[name=confidence]").fill("90")
    expect(page.locator("[data-confidence-slider]")).to_have_value("90")


def test_a_download_brings_the_chosen_picture(window: OpenWindow, film: str, tmp_path: Path) -> None:
    page = window("alice")
    show(page, film)
    page.locator("[data-colour-map]").select_option("HOT")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Overlay").click()
    assert coming.value.suggested_filename == "PW-000001-overlay.png"
    assert "colour_map=HOT" in coming.value.url
    coming.value.save_as(tmp_path / "overlay.png")
    assert (tmp_path / "overlay.png").read_bytes().startswith(b"\x89PNG")


def test_without_scripts_film_overlay_and_reviews_can_be_reached(
    window: OpenWindow, web_server: WebServer
) -> None:
    page = window("rania", java_script_enabled=False)
    page.goto(f"/studies/{web_server.films['read'][1]}/")
    expect(page.get_by_alt_text("The film with its map: regions that raised the score")).to_be_visible()
    page.get_by_role("link", name="Reviews of this film").click()
    page.get_by_label("Agree", exact=True).check()
    page.get_by_label("Pneumonia", exact=True).check()
    page.locator("input[name=confidence]").fill("65")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Your draft is saved.")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 768])
def test_the_page_is_not_wider_than_a_phone(window: OpenWindow, film: str, width: int) -> None:
    page = window("rania", width=width, has_touch=True)
    show(page, film)
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("/model/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_violation_of_accessibility_rules(window: OpenWindow, film: str, theme: str) -> None:
    page = window("rania", theme=theme)
    show(page, film)
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    for address in (None, "/model/"):
        if address:
            page.goto(address)
        check_accessibility(page)
