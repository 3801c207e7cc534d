"""The viewer in the browser: position of the map, keys, window, contours, comparison, rotation, touch."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenWindow
from tests.e2e.helpers.study_films import HEIGHT, WIDTH
from tests.e2e.helpers.study_page import check_accessibility, heat, magnification, show
from tests.e2e.helpers.web_server import WebServer

pytestmark = pytest.mark.e2e

# The position of a film pixel in the window. (The library's own method ignores the page's scrolling.)
ON_SCREEN = """([x, y]) => {
    const { osd } = viewer.viewport;
    const stage = osd.element.getBoundingClientRect();
    const point = osd.world.getItemAt(0).imageToViewportCoordinates(new OpenSeadragon.Point(x, y));
    const place = osd.viewport.pixelFromPoint(point, true);
    return { x: stage.left + place.x, y: stage.top + place.y };
}"""

# The map's box is the film's box within 1.5 pixels, at every rotation.
CORNERS_MEET = f"""([width, height]) => {{
    const map = document.querySelector("img.pw-heat").getBoundingClientRect();
    const ends = [[0, 0], [width, height]].map({ON_SCREEN});
    const [xs, ys] = [ends.map((end) => end.x), ends.map((end) => end.y)];
    const apart = [
        map.left - Math.min(...xs), map.top - Math.min(...ys),
        map.right - Math.max(...xs), map.bottom - Math.max(...ys),
    ];
    return apart.every((distance) => Math.abs(distance) < 1.5);
}}"""

# Both viewports have the same centre, magnification and rotation.
VIEWPORTS_AGREE = """() => {
    const [first, second] = viewer.compare.viewports.map(({ osd }) => osd.viewport);
    const [a, b] = [first.getCenter(true), second.getCenter(true)];
    return Math.abs(a.x - b.x) < 1e-3 && Math.abs(a.y - b.y) < 1e-3
        && Math.abs(first.getZoom(true) / second.getZoom(true) - 1) < 1e-3
        && first.getRotation(true) === second.getRotation(true);
}"""

WHOLE_FILM_IN_SIGHT = f"""([width, height]) => {{
    const stage = document.querySelector("[data-stage]").getBoundingClientRect();
    const [first, last] = [[0, 0], [width, height]].map({ON_SCREEN});
    const margins = [first.x - stage.left, first.y - stage.top, stage.right - last.x, stage.bottom - last.y];
    return margins.every((margin) => margin > -1.5) && margins.filter((margin) => margin < 2).length >= 2;
}}"""


def test_the_map_lies_exactly_over_the_film_at_every_magnification(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    expect(heat(page)).to_be_attached()
    for action in ("fit", "zoom-in", "turn-right", "actual", "turn-left", "fit"):
        page.locator(f"[data-do={action}]").click()
        page.wait_for_function(CORNERS_MEET, arg=[WIDTH, HEIGHT])
    assert magnification(page) < 100


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
    expect(page.locator("#pw-window feFuncR")).to_have_attribute("slope", "-1")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_help_sheet_lists_every_key(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    listed = set(page.locator("[data-keys] kbd").all_text_contents())
    assert {"2", "7"} < listed  # the presets between them stand there as a row of their own
    alike = {"=", "-", "_", "3", "4", "5", "6"}
    assert set(page.evaluate("viewer.keys")) - alike <= listed


def test_window_by_preset_key_and_drag_is_kept_for_the_next_film_until_it_is_reset(
    window: OpenWindow, web_server: WebServer, film: str
) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-do=adjust]").click()
    lungs = page.get_by_role("button", name="Lungs")
    lungs.click()
    expect(lungs).to_have_attribute("aria-pressed", "true")
    words = page.locator("[data-changed-words]")
    expect(words).to_have_text(re.compile(r"Window: centre \d+%, width \d+%\."))
    expect(page.locator(".pw-viewer-stage canvas").first).to_have_css("filter", re.compile("pw-window"))

    page.locator(".openseadragon-canvas").focus()
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="As stored")).to_have_attribute("aria-pressed", "true")
    expect(words).to_have_text("Settings kept for the next films.")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("[data-window=centre]")).to_have_value("45")

    box = page.locator("[data-stage]").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 280, box["y"] + 160, steps=4)
    page.mouse.up(button="right")
    expect(page.locator("[data-window=centre]")).to_have_value("35")
    expect(page.locator("[data-window=width]")).to_have_value("120")

    show(page, f"/studies/{web_server.films['read'][1]}/")
    expect(words).to_have_text("Window: centre 35%, width 120%.")
    page.locator("[data-changed] [data-do=reset]").click()
    expect(page.locator("[data-changed]")).to_be_hidden()
    expect(page.locator(".pw-viewer-stage canvas").first).to_have_css("filter", "none")
    show(page, film)
    expect(page.locator("[data-changed]")).to_be_hidden()


def test_dragging_sets_the_window_only_while_the_tool_is_on(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    box = page.locator("[data-stage]").bounding_box()
    centre, before = page.locator("[data-window=centre]"), heat(page).bounding_box()
    for on in (True, False):
        page.locator("[data-do=window-drag]").click()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 280, steps=4)
        page.mouse.up()
        expect(centre).not_to_have_value("50")
        assert (heat(page).bounding_box()["y"] == before["y"]) is on
    page.locator("[data-film-alpha]").evaluate("s => { s.value = 0.3; s.dispatchEvent(new Event('input')) }")
    expect(page.locator(".pw-viewer-stage canvas").first).to_have_css("opacity", "0.3")
    expect(heat(page)).to_have_css("opacity", "0.4")


def test_contours_stand_at_the_levels_of_the_legend(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.get_by_label("Contours", exact=True).check()
    groups = page.locator(".pw-contours [data-level]")
    expect(groups).to_have_count(4)
    assert [group.get_attribute("data-level") for group in groups.all()] == ["20", "40", "60", "80"]
    expect(heat(page)).to_have_count(0)
    legend = page.locator("[data-legend]")
    expect(legend.get_by_role("row", name="Map value")).to_contain_text("0.000.521.041.562.082.60")
    expect(legend).to_contain_text("A typical strong map of this model reaches 2.00")
    expect(page.get_by_role("link", name="Heat map")).to_have_attribute("href", re.compile("style=contour"))
    size = page.locator(".pw-contours").bounding_box()["width"]
    page.locator("[data-do=zoom-in]").click()
    page.wait_for_function(
        "width => document.querySelector('.pw-contours').getBoundingClientRect().width > 1.3 * width",
        arg=size,
    )
    page.locator(".openseadragon-canvas").focus()
    page.keyboard.press("c")
    expect(heat(page)).to_have_css("opacity", "0.4")


def test_film_and_map_are_compared_by_swiping_and_side_by_side(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.get_by_label("Swipe", exact=True).check()
    divider = page.get_by_role("slider", name="Divider")
    layer = page.locator(".pw-map")
    expect(layer).to_have_css("clip-path", "inset(0px 0px 0px 50%)")
    divider.focus()
    page.keyboard.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuetext", "Map from 52% of the width")
    expect(layer).to_have_css("clip-path", "inset(0px 0px 0px 52%)")
    box = page.locator("[data-panes]").bounding_box()
    page.mouse.move(box["x"] + 0.52 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 40, steps=4)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "25")

    page.get_by_label("Side by side", exact=True).check()
    expect(page.locator("[data-second] .pw-map img.pw-heat")).to_be_visible()
    expect(page.locator("[data-stage] .pw-map")).to_have_count(0)
    for action in ("zoom-in", "turn-right"):
        page.locator(f"[data-do={action}]").click()
        page.wait_for_function(VIEWPORTS_AGREE)
    right = page.locator("[data-stage-second]").bounding_box()
    page.mouse.move(right["x"] + 100, right["y"] + 100)
    page.mouse.down()
    page.mouse.move(right["x"] + 160, right["y"] + 130, steps=4)
    page.mouse.up()
    page.wait_for_function(VIEWPORTS_AGREE)
    page.locator("[data-do=reset]").first.click()
    expect(page.locator("[data-second]")).to_be_hidden()
    expect(page.locator("[data-stage] .pw-map img.pw-heat")).to_be_attached()
    page.wait_for_function(CORNERS_MEET, arg=[WIDTH, HEIGHT])


def test_a_region_drawn_on_a_turned_film_has_the_coordinates_of_the_film(
    window: OpenWindow, film: str
) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-do=turn-right]").click()
    page.get_by_text("Region on the film (optional)").click()
    page.get_by_role("button", name="Draw on the film").click()
    # The film's left upper quarter lies at the upper right of the turned picture.
    first, last = (page.evaluate(ON_SCREEN, end) for end in ([0, 0], [WIDTH / 2, HEIGHT / 2]))
    assert first["x"] > last["x"]
    page.mouse.move(first["x"], first["y"])
    page.mouse.down()
    page.mouse.move(last["x"], last["y"], steps=4)
    page.mouse.up()
    drawn = {
        edge: int(page.locator(f"input[name=region_{edge}]").input_value())
        for edge in ("left", "top", "width", "height")
    }
    wanted = {"left": 0, "top": 0, "width": WIDTH // 2, "height": HEIGHT // 2}
    assert all(abs(drawn[edge] - wanted[edge]) <= 6 for edge in wanted), drawn
    frame, map_box = page.locator(".pw-region-frame").bounding_box(), heat(page).bounding_box()
    assert abs(frame["y"] - map_box["y"]) < 6
    assert abs(frame["x"] + frame["width"] - map_box["x"] - map_box["width"]) < 6


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


def test_two_fingers_magnify_the_film(window: OpenWindow, film: str) -> None:
    page = window("rania", width=390, has_touch=True)
    show(page, film)
    box = page.locator("[data-stage]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page)
    before = page.locator("[data-zoom]").text_content()

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for apart in (40, 55, 75, 100):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    expect(page.locator("[data-zoom]")).not_to_have_text(before or "")
    page.wait_for_function(CORNERS_MEET, arg=[WIDTH, HEIGHT])


def test_no_mode_of_the_viewer_violates_accessibility_rules(window: OpenWindow, film: str) -> None:
    page = window("rania")
    show(page, film)
    page.locator("[data-do=adjust]").click()
    page.get_by_role("button", name="Lungs").click()
    page.get_by_label("Contours", exact=True).check()
    page.get_by_label("Swipe", exact=True).check()
    expect(page.locator(".pw-contours")).to_be_visible()
    check_accessibility(page)
    page.get_by_label("Side by side", exact=True).check()
    expect(page.locator("[data-second] .pw-map")).to_be_visible()
    check_accessibility(page)
    page.locator("[data-do=full]").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check_accessibility(page)
