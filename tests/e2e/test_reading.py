"""Reading in the browser: a blind read from worklist to signature, a drawn region, keys, two readers."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Response, ViewportSize, expect

from tests.e2e.helpers.study_films import HEIGHT, WIDTH
from tests.e2e.helpers.watch import Watch
from tests.e2e.helpers.web_server import WebServer
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.e2e

OpenWindow = Callable[..., Page]
# The numbers of RESULT as responses write them, and the addresses of a result's pictures.
TELLTALES = re.compile(
    r"0\.78\b|78(\.0)?\s?%|0\.82\b|pw-verdict|data-heat-layer|files/(heatmap|overlay|side-by-side)"
)


@dataclass(frozen=True)
class Scene:
    """A project that hides results, with two readers of its own; addresses of its films, oldest first."""

    web_server: WebServer
    readers: list[str]
    sessions: list[str]
    films: list[str]

    def sign(self, reader: str, film: str, finding: str) -> None:
        """Let the reader sign a read of the film."""
        self._run(f"sign({reader!r}, {_uid(film)!r}, {finding!r})")

    def claim(self, reader: str, film: str) -> None:
        """Let the reader open the film."""
        self._run(f"claim({reader!r}, {_uid(film)!r})")

    def reads_of(self, film: str) -> list[tuple[Any, ...]]:
        """Return the signed reads: finding, prediction, region, film's size, seconds open."""
        return self.web_server.query(
            "SELECT finding, prediction_id, region_x, region_y, region_width, region_height, open_seconds "
            "FROM reading_review JOIN diagnosis_study ON diagnosis_study.id = study_id "
            f"WHERE signed_at IS NOT NULL AND diagnosis_study.uid = '{_uid(film).replace('-', '')}'"
        )

    def _run(self, call: str) -> None:
        self.web_server.run(call, module="reading_scenes")


def _uid(film: str) -> str:
    return film.split("/")[2]


@pytest.fixture(scope="module")
def scenes(web_server: WebServer) -> list[Scene]:
    """The scenes of this module's tests; each is used once."""
    made = json.loads(web_server.run("make(5, 3)", module="reading_scenes").splitlines()[-1])
    return [
        Scene(web_server, one["readers"], one["sessions"], [f"/studies/{uid}/" for uid in one["films"]])
        for one in made
    ]


@pytest.fixture
def scene(scenes: list[Scene]) -> Scene:
    return scenes.pop()


@pytest.fixture(scope="module")
def shared_scene(scenes: list[Scene]) -> Scene:
    """A scene that tests do not change: one film read by both readers, one claimed by the second reader."""
    scene = scenes.pop()
    first, second = scene.readers
    scene.claim(second, scene.films[2])
    scene.sign(second, scene.films[1], "other")
    scene.sign(first, scene.films[1], "normal")
    return scene


@pytest.fixture
def watch(web_server: WebServer) -> Iterator[Watch]:
    watch = Watch(web_server.url)
    yield watch
    assert watch.complaints == []


@pytest.fixture
def window(browser: Browser, web_server: WebServer, watch: Watch) -> Iterator[OpenWindow]:
    """Open a watched window of a scene's first reader: `window(scene, width=…, theme=…)`."""
    contexts: list[BrowserContext] = []

    def open_window(scene: Scene, *, width: int = 1280, theme: Any = "light") -> Page:
        size: ViewportSize = {"width": width, "height": 900}
        context = browser.new_context(
            base_url=web_server.url, viewport=size, color_scheme=theme, reduced_motion="reduce"
        )
        contexts.append(context)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": scene.sessions[0], "url": web_server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a dictionary of these three
        return watch.look_at(context.new_page())

    yield open_window
    for context in contexts:
        context.close()


def listen(page: Page) -> list[tuple[str, str]]:
    """Collect address and text of every response to the page; of pictures the address alone."""
    received: list[tuple[str, str]] = []

    def heard(response: Response) -> None:
        kind = response.headers.get("content-type", "")
        is_text = kind.startswith(("text/html", "application/json")) and response.status == 200
        received.append((response.url, response.text() if is_text else ""))

    page.on("response", heard)
    return received


def is_drawn(page: Page) -> None:
    expect(page.locator("[data-viewer]")).to_have_attribute("data-ready", "true", timeout=20_000)


def draw(page: Page) -> None:
    """Draw a rectangle over the middle of the stage."""
    page.get_by_text("Region on the film").click()
    page.get_by_role("button", name="Draw on the film").click()
    box = page.locator(".pw-region-pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7)
    page.mouse.up()


def test_a_blind_read_from_worklist_to_signature(window: OpenWindow, scene: Scene) -> None:
    page = window(scene, width=1440)
    received = listen(page)
    page.goto("/worklist/")
    expect(page.get_by_text("3 films without your signed read")).to_be_visible()
    page.get_by_role("link", name="Read the next film").click()
    is_drawn(page)
    expect(page.get_by_text("This project hides the AI result")).to_be_visible()
    expect(page.get_by_text("Do you agree with the AI?")).to_have_count(0)
    page.get_by_label("Pneumonia", exact=True).check()
    page.locator("input[name=confidence]").fill("85")
    draw(page)
    expect(page.locator(".pw-region-frame")).to_be_visible()
    page.get_by_label("Comment").fill("Right lower zone.")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Your draft is saved.")).to_be_visible()
    assert [url for url, text in received if TELLTALES.search(text or url)] == []
    page.get_by_label("Your password again").fill(PASSWORD)
    page.get_by_label("Your password again").press("Enter")
    expect(page.get_by_text("Your read is signed and final.")).to_be_visible()
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(page.locator("img.pw-heat")).to_be_attached()
    [(finding, prediction, left, *_, open_seconds)] = scene.reads_of(scene.films[0])
    assert (finding, prediction) == ("pneumonia", None)
    assert 0.2 < left < 0.5
    assert open_seconds is not None
    page.keyboard.press("j")
    page.wait_for_url(f"**{scene.films[1]}")
    expect(page.get_by_text("Worklist: 2 left")).to_be_visible()


def test_the_drawn_rectangle_is_where_the_pointer_was(window: OpenWindow, scene: Scene) -> None:
    page = window(scene, width=1440)
    page.goto(scene.films[0])
    is_drawn(page)
    draw(page)
    frame = page.locator(".pw-region-frame").bounding_box()
    stage = page.locator("[data-stage]").bounding_box()
    assert frame is not None
    assert stage is not None
    assert abs(frame["x"] - (stage["x"] + stage["width"] * 0.4)) < 4
    assert abs(frame["y"] + frame["height"] - (stage["y"] + stage["height"] * 0.7)) < 4
    page.get_by_role("button", name="Take it away").click()
    expect(page.locator(".pw-region-frame")).to_have_count(0)
    expect(page.get_by_label("Left edge")).to_have_value("")


def test_a_region_is_given_and_signed_without_a_mouse(window: OpenWindow, scene: Scene) -> None:
    page = window(scene)
    page.goto(scene.films[0])
    is_drawn(page)
    page.get_by_label("Normal", exact=True).focus()
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("60")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # opens the region
    expect(page.get_by_label("Left edge")).to_be_visible()
    page.keyboard.press("Tab")  # draw
    for value in ("100", "200", "300", "150"):
        page.keyboard.press("Tab")
        page.keyboard.type(value)
    expect(page.locator(".pw-region-frame")).to_be_visible()
    page.get_by_label("Your password again").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your read is signed and final.")).to_be_visible()
    [(_, _, left, top, width, height, _)] = scene.reads_of(scene.films[0])
    assert [round(left * WIDTH), round(top * HEIGHT)] == [100, 200]
    assert [round(width * WIDTH), round(height * HEIGHT)] == [300, 150]


def test_a_claimed_film_shows_its_reader_to_the_other_one(window: OpenWindow, scene: Scene) -> None:
    scene.claim(scene.readers[1], scene.films[0])
    page = window(scene)
    page.goto("/worklist/")
    expect(page.get_by_text(f"Being read by {scene.readers[1]}")).to_be_visible()
    page.goto(scene.films[0])
    expect(page.get_by_role("alert").get_by_text(f"Being read by {scene.readers[1]}")).to_be_visible()
    page.get_by_role("button", name="Read it all the same").click()
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()


def serious(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['target']}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("width", "theme"),
    [
        (1440, "light"),
        (390, "dark"),
        pytest.param(1440, "dark", marks=pytest.mark.nightly),
        pytest.param(390, "light", marks=pytest.mark.nightly),
    ],
)
def test_reading_pages_are_accessible_and_fit(
    window: OpenWindow, shared_scene: Scene, width: int, theme: str, tmp_path: Path
) -> None:
    scene = shared_scene
    page = window(scene, width=width, theme=theme)
    for name, address in {
        "worklist": "/worklist/",
        "hidden": scene.films[0],
        "signed": scene.films[1],
        "taken": scene.films[2],
        "reviews": f"{scene.films[1]}reviews/",
        "marks": f"{scene.films[1]}marks/",
        "discordance": "/discordance/",
        "adjudications": "/adjudication/",
        "adjudication": f"{scene.films[1]}adjudication/",
    }.items():
        page.goto(address)
        if name in ("hidden", "signed", "taken"):
            is_drawn(page)
            expect(page.get_by_text(re.compile(r"Worklist: \d left"))).to_be_visible()
        assert serious(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        page.screenshot(path=tmp_path / f"{name}-{width}-{theme}.png", full_page=True)
