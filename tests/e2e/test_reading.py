"""Reading in a real browser: a blind read from worklist to signature, a drawn region, keys, two readers."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, Response, expect

from diagnosis.models import ModelVersion, Prediction, Project, Study
from diagnosis.submission import submit_study
from reading.claims import claim_film
from reading.models import Review
from reading.review import review_study
from tests.cast import PASSWORD, Cast
from tests.e2e.study_films import HEIGHT, RESULT, WIDTH
from tests.films import chest_like, png

pytestmark = pytest.mark.e2e

OpenWindow = Callable[..., Page]
# The numbers of RESULT as any answer would write them, and the pictures of a result.
TELLTALES = re.compile(
    r"0\.78\b|78(\.0)?\s?%|0\.82\b|pw-verdict|data-heat-layer|files/(heatmap|overlay|side-by-side)"
)


@pytest.fixture
def films(cast: Cast, active_model: ModelVersion) -> list[Study]:
    """Three films with results above the operating point, in a project that hides them from readers."""
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    made = [
        submit_study(
            actor=cast.alice,
            project=cast.project,
            data=png(chest_like(HEIGHT, WIDTH, seed=seed)),
            subject_code=f"S-{seed:03d}",
        ).study
        for seed in range(3)
    ]
    Prediction.objects.update(**RESULT)
    return made


def listen(page: Page) -> list[tuple[str, str]]:
    """Collect address and text of everything that the server sends to the page, pictures by address alone."""
    told: list[tuple[str, str]] = []

    def heard(response: Response) -> None:
        kind = response.headers.get("content-type", "")
        is_text = kind.startswith(("text/html", "application/json")) and response.status == 200
        told.append((response.url, response.text() if is_text else ""))

    page.on("response", heard)
    return told


# The test server's database in memory is shared by its threads, and now and then one finds it locked: that
# request fails in this server only. Errors of scripts and of the page's policy count.
OF_THE_TEST_SERVER = ("Failed to load resource", "Response Status Error")


def errors_of(page: Page) -> list[str]:
    found: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(OF_THE_TEST_SERVER):
            found.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


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


def test_a_blind_read_from_worklist_to_signature(
    live_window: OpenWindow, cast: Cast, films: list[Study]
) -> None:
    page = live_window(cast.rania, width=1440, reduced_motion="reduce")
    told, errors = listen(page), errors_of(page)
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
    assert [(url, TELLTALES.search(text or url)) for url, text in told if TELLTALES.search(text or url)] == []
    page.get_by_label("Your password again").fill(PASSWORD)
    page.get_by_label("Your password again").press("Enter")
    expect(page.get_by_text("Your read is signed and final.")).to_be_visible()
    expect(page.get_by_role("heading", name="Above the operating point")).to_be_visible()
    expect(page.locator("img.pw-heat")).to_be_attached()
    read = Review.objects.reads().get()
    assert (read.finding, read.prediction, read.study) == ("pneumonia", None, films[0])
    assert read.region is not None
    assert 0.2 < read.region.x < 0.5
    assert read.open_seconds is not None
    page.keyboard.press("j")
    page.wait_for_url(f"**{films[1].get_absolute_url()}")
    expect(page.get_by_text("Worklist: 2 left")).to_be_visible()
    assert errors == []


def test_the_drawn_rectangle_is_where_the_pointer_was(
    live_window: OpenWindow, cast: Cast, films: list[Study]
) -> None:
    page = live_window(cast.rania, width=1440, reduced_motion="reduce")
    page.goto(films[0].get_absolute_url())
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


def test_a_read_with_a_region_needs_no_mouse(live_window: OpenWindow, cast: Cast, films: list[Study]) -> None:
    page = live_window(cast.rania, reduced_motion="reduce")
    page.goto(films[0].get_absolute_url())
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
    region = Review.objects.get().region
    assert region is not None
    assert region.in_pixels((WIDTH, HEIGHT)) == {"left": 100, "top": 200, "width": 300, "height": 150}


def test_two_readers_know_of_each_other(
    live_window: OpenWindow, cast: Cast, films: list[Study], rob: User
) -> None:
    claim_film(actor=rob, study=films[0])
    page = live_window(cast.rania, reduced_motion="reduce")
    page.goto("/worklist/")
    expect(page.get_by_text("Being read by rob")).to_be_visible()
    page.goto(films[0].get_absolute_url())
    expect(page.get_by_role("alert").get_by_text("Being read by rob")).to_be_visible()
    page.get_by_role("button", name="Read it all the same").click()
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()


def serious(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['target']}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_reading_pages_have_no_known_obstacle_and_fit(
    live_window: OpenWindow, cast: Cast, films: list[Study], rob: User, width: int, theme: str, tmp_path: Path
) -> None:
    claim_film(actor=rob, study=films[2])
    review_study(actor=rob, study=films[1], finding="other", confidence=30, sign=True)
    review_study(actor=cast.rania, study=films[1], finding="normal", confidence=70, sign=True)
    page = live_window(cast.rania, width=width, theme=theme, reduced_motion="reduce")
    for name, address in {
        "worklist": "/worklist/",
        "hidden": films[0].get_absolute_url(),
        "signed": films[1].get_absolute_url(),
        "taken": films[2].get_absolute_url(),
        "reviews": f"{films[1].get_absolute_url()}reviews/",
    }.items():
        page.goto(address)
        if "/reviews/" not in address and name != "worklist":
            is_drawn(page)
            expect(page.get_by_text(re.compile(r"Worklist: \d left"))).to_be_visible()
        assert serious(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        page.screenshot(path=tmp_path / f"{name}-{width}-{theme}.png", full_page=True)
