"""A batch of 24 films is analysed by the real worker, and a film sent meanwhile does not wait for it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.e2e.helpers.people import film
from tests.e2e.helpers.watch import Watch
from tests.e2e.test_pages import fits, serious
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png
from tests.support.servers.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]
FINISHED_WITHIN = 120_000  # milliseconds, on a busy machine


def state_of(batch: str, system: Stack) -> str:
    """Query the state of the batch at this address."""
    uid = batch.rstrip("/").rpartition("/")[2].replace("-", "")
    ((state,),) = system.query(f"SELECT state FROM diagnosis_batch WHERE uid = '{uid}'")
    return str(state)


def test_a_zip_of_24_films_is_analysed_while_a_single_film_is_not_delayed(alice: Page, system: Stack) -> None:
    films = [chest_png(seed=2000 + number) for number in range(23)]
    archive: FilePayload = {
        "name": "Smith_John.zip",
        "mimeType": "application/zip",
        "buffer": zips.zip_of(*films, NOT_FILMS["text"]),
    }
    alice.goto("/batches/")
    alice.locator("input[name=archive]").set_input_files([archive])
    alice.get_by_role("button", name="Send", exact=True).click()
    alice.wait_for_url(re.compile(r"/batches/[0-9a-f-]{36}/$"))
    batch = alice.url
    heading = alice.locator("#batch-heading")
    expect(heading).to_contain_text("of 24 done")
    expect(heading).to_contain_text(re.compile(r"^\s*[1-9]\d? of 24"), timeout=FINISHED_WITHIN)

    alice.goto("/upload/")
    alice.locator("input[name=file]").set_input_files([film(2100, "urgent.png")])
    alice.get_by_role("button", name="Upload 1 film").click()
    result = re.compile("(Above|Below) the operating point")
    expect(alice.locator(".pw-upload")).to_contain_text(result, timeout=FINISHED_WITHIN)
    assert state_of(batch, system) != "finished"

    alice.goto(batch)
    expect(heading).to_have_text("24 of 24 done", timeout=FINISHED_WITHIN)
    expect(alice.locator("#batch-status")).to_contain_text("Finished", timeout=FINISHED_WITHIN)
    expect(alice.locator(".pw-batchitems tbody tr")).to_have_count(24)
    expect(alice.locator(".pw-refused")).to_contain_text(re.compile(r"No. 24\s+\S*Smith_John_23.png"))
    expect(alice.locator("#bell")).to_contain_text("1 unread")
    assert serious(alice) == []
    assert fits(alice)

    alice.locator("#bell").click()
    expect(alice.locator("#notification-list")).to_contain_text("23 films taken in, 1 refused")
    assert serious(alice) == []
    alice.get_by_role("button", name="Mark as read").click()
    expect(alice.locator("#bell")).not_to_contain_text("unread")


def test_an_interrupted_folder_is_resumed(alice: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expect("ERR_FAILED")
    folder = tmp_path / "Smith_John"
    folder.mkdir()
    for number in range(4):
        (folder / f"film-{number}.png").write_bytes(chest_png(seed=2200 + number))
    posts: list[str] = []

    def break_off(route: Route) -> None:
        posts.append(route.request.url)
        if len(posts) > 2:
            route.abort()
        else:
            route.continue_()

    alice.route("**/films/", break_off)
    alice.goto("/batches/")
    alice.locator("#batch-folder").set_input_files(folder)
    assert serious(alice) == []
    alice.get_by_role("button", name="Send", exact=True).click()
    expect(alice.locator("[data-said]")).to_contain_text("could not be sent")
    expect(alice.locator(".pw-batchitems tbody tr")).to_have_count(2)
    expect(alice.locator(".pw-batchitems")).to_contain_text("Smith_John/film-")

    alice.unroute("**/films/")
    alice.reload()
    expect(alice.get_by_role("heading", name="Not all is sent yet")).to_be_visible()
    expect(alice.locator(".pw-batchitems")).to_contain_text("Smith_John/film-")
    alice.locator("#batch-folder").set_input_files(folder)
    alice.get_by_role("button", name="Send", exact=True).click()
    expect(alice.locator("[data-said]")).to_have_text("All are sent. You may leave this page.")
    expect(alice.locator("#batch-heading")).to_have_text("4 of 4 done", timeout=FINISHED_WITHIN)
    expect(alice.locator(".pw-batchitems tbody tr")).to_have_count(4)
