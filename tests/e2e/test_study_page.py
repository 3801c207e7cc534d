"""The study page in a real browser: viewer, map, keys, a result that arrives, reviews, downloads, phones."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.people import SignIn
from tests.e2e.room import Room
from tests.e2e.study_films import HEIGHT, WIDTH
from tests.e2e.watch import Watch

pytestmark = pytest.mark.e2e
expect.set_options(timeout=15_000)
OpenWindow = Callable[..., Page]


@pytest.fixture(scope="module")
def sign_in(browser: Browser, room: Room, tmp_path_factory: pytest.TempPathFactory) -> SignIn:
    return SignIn(browser, room, tmp_path_factory.mktemp("sessions"))


@pytest.fixture
def watch(room: Room) -> Iterator[Watch]:
    watch = Watch(room.url)
    yield watch
    assert watch.complaints == []


@pytest.fixture
def window(sign_in: SignIn, watch: Watch) -> Iterator[OpenWindow]:
    """Open a watched window: `window("rania", width=1440, theme="light")`, more options as Playwright's."""
    contexts: list[BrowserContext] = []

    def open_window(name: str, *, width: int = 1440, theme: str = "light", **options: Any) -> Page:
        size = {"width": width, "height": 900}
        context = sign_in.context(name, viewport=size, color_scheme=theme, reduced_motion="reduce", **options)
        contexts.append(context)
        return watch.look_at(context.new_page())

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def film(room: Room) -> str:
    """The address of a film with a result that nobody reviews."""
    return f"/studies/{room.films['read'][0]}/"


# Both corners of the map are where the film's corners are, to a pixel and a half.
CORNERS_MEET = """([width, height]) => {
    const film = pneumoweb.viewer.viewer.lens.world.getItemAt(0);
    const map = document.querySelector("img.pw-heat").getBoundingClientRect();
    const first = film.imageToWindowCoordinates(new OpenSeadragon.Point(0, 0));
    const last = film.imageToWindowCoordinates(new OpenSeadragon.Point(width, height));
    const apart = [map.left - first.x, map.top - first.y, map.right - last.x, map.bottom - last.y];
    return apart.every((distance) => Math.abs(distance) < 1.5);
}"""

WHOLE_FILM_IN_SIGHT = """([width, height]) => {
    const film = pneumoweb.viewer.viewer.lens.world.getItemAt(0);
    const stage = document.querySelector("[data-stage]").getBoundingClientRect();
    const first = film.imageToWindowCoordinates(new OpenSeadragon.Point(0, 0));
    const last = film.imageToWindowCoordinates(new OpenSeadragon.Point(width, height));
    const room = [first.x - stage.left, first.y - stage.top, stage.right - last.x, stage.bottom - last.y];
    return room.every((distance) => distance > -1.5) && room.filter((distance) => distance < 2).length >= 2;
}"""


def show(page: Page, address: str) -> None:
    """Open the film's page and wait until the film is drawn."""
    page.goto(address)
    expect(page.locator("[data-viewer]")).to_have_attribute("data-ready", "true", timeout=15_000)


def magnification(page: Page) -> int:
    return int(page.locator("[data-zoom]").inner_text().rstrip("%"))


def heat(page: Page) -> Any:
    return page.locator("img.pw-heat")


def test_film_and_map_are_shown(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    expect(heat(page)).to_have_css("opacity", "0.4")
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(page.get_by_text("Research and education only. Not for clinical use.").first).to_be_visible()


def test_the_map_lies_exactly_over_the_film_at_every_magnification(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    expect(heat(page)).to_be_attached()
    for action in ("fit", "zoom-in", "zoom-in", "actual", "fit"):
        page.locator(f"[data-do={action}]").click()
        page.wait_for_function(CORNERS_MEET, arg=[WIDTH, HEIGHT])
    assert magnification(page) < 100


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


def test_other_colours_change_map_legend_and_downloads_and_are_remembered(
    window: OpenWindow, film: str
) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-colour-map]").select_option("VIRIDIS")
    expect(heat(page)).to_have_attribute("src", re.compile("colour_map=VIRIDIS"))
    expect(page.locator("[data-stop]").first).to_have_attribute("stop-color", "#440154")
    overlay = page.get_by_role("link", name="Overlay")
    expect(overlay).to_have_attribute("href", re.compile("colour_map=VIRIDIS&alpha=0.4"))
    show(page, film)
    expect(page.locator("[data-colour-map]")).to_have_value("VIRIDIS")
    expect(heat(page)).to_have_attribute("src", re.compile("colour_map=VIRIDIS"))


def test_the_keys_work_while_the_film_has_the_focus(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.locator(".openseadragon-canvas").focus()
    whole = magnification(page)
    page.keyboard.press("+")
    expect(page.locator("[data-zoom]")).not_to_have_text(f"{whole}%")
    before = heat(page).bounding_box()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "left => document.querySelector('img.pw-heat').getBoundingClientRect().left < left - 5",
        arg=before["x"],
    )
    page.keyboard.press("0")
    expect(page.locator("[data-zoom]")).to_have_text(f"{whole}%")
    page.keyboard.press("m")
    expect(page.locator("[data-map-switch]")).not_to_be_checked()
    page.keyboard.press("]")
    expect(page.locator("[data-alpha-text]")).to_have_text("50%")
    page.keyboard.press("i")
    expect(page.locator("[data-do=invert]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".pw-viewer-stage canvas").first).to_have_css("filter", re.compile(r"invert\(1\)"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_letters_typed_into_a_comment_do_nothing_to_the_film(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.get_by_label("Comment").press_sequentially("mi?f+0")
    expect(page.get_by_label("Comment")).to_have_value("mi?f+0")
    expect(page.locator("[data-map-switch]")).to_be_checked()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_full_screen_shows_the_whole_film_and_goes_back(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    small = magnification(page)
    page.locator("[data-do=full]").click()
    expect(page.locator("[data-viewer]")).to_have_class(re.compile("pw-viewer--enlarged"))
    expect(page.locator("[data-zoom]")).not_to_have_text(f"{small}%")
    page.wait_for_function(WHOLE_FILM_IN_SIGHT, arg=[WIDTH, HEIGHT])
    page.locator("[data-do=full]").click()
    expect(page.locator("[data-viewer]")).not_to_have_class(re.compile("pw-viewer--enlarged"))
    expect(page.locator("[data-zoom]")).to_have_text(f"{small}%")


def test_a_result_appears_without_reload_and_the_asking_stops(window: OpenWindow, room: Room) -> None:
    address, page = room.unread(), window("rania")
    show(page, address)
    expect(page.get_by_role("heading", name="The AI is reading this film")).to_be_visible()
    expect(page.locator("[data-map-controls]")).to_be_hidden()
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    expect(page.get_by_text("Do you agree with the AI?")).to_be_hidden()
    with page.expect_request(re.compile("/status/")):
        pass
    room.finish(address)
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(heat(page)).to_have_css("opacity", "0.4")
    expect(page.get_by_role("link", name="Side by side")).to_be_visible()
    expect(page.get_by_text("Do you agree with the AI?")).to_be_visible()
    expect(page.locator("[data-announcer]")).to_contain_text("The score speaks for pneumonia.")
    assert page.locator("[hx-trigger='every 1s']").count() == 0


def test_words_typed_before_the_result_came_are_kept_and_saved(
    window: OpenWindow, room: Room, watch: Watch
) -> None:
    watch.expect("status of 422")
    address, page = room.unread(), window("rania")
    show(page, address)
    page.get_by_label("Comment").fill("Typed before the result.")
    page.get_by_label("Pneumonia", exact=True).check()
    page.locator("input[name=confidence]").fill("65")
    room.finish(address)
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


def test_without_scripts_film_overlay_and_reviews_can_be_reached(window: OpenWindow, room: Room) -> None:
    page = window("rania", java_script_enabled=False)
    page.goto(f"/studies/{room.films['read'][1]}/")
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
def test_the_page_has_no_known_obstacle_for_assistive_technology(
    window: OpenWindow, film: str, theme: str
) -> None:
    page = window("rania", theme=theme)
    show(page, film)
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    for address in (None, "/model/"):
        if address:
            page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
