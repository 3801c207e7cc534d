"""Uploads in the browser: one film, many, dropped, refused, interrupted, without JavaScript."""

import base64
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.helpers.people import SignIn, film
from tests.e2e.helpers.watch import Watch
from tests.support.inputs.films import chest_png
from tests.support.servers.stack import ROOT, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]

RESULT = re.compile(r"(Above|Below) the operating point")
ANALYSED_WITHIN = 60_000  # milliseconds, on a busy machine
DROP = """([files]) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: "image/png" }));
  }
  document.querySelector("[data-dropzone]").dispatchEvent(
    new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def choose_and_upload(page: Page, *films: FilePayload) -> None:
    page.goto("/upload/")
    page.locator("input[name=file]").set_input_files(list(films))
    page.get_by_role("button", name=re.compile("^Upload")).click()


def test_a_real_film_is_uploaded_analysed_and_found_without_reloading(alice: Page) -> None:
    alice.goto("/upload/")
    alice.get_by_label("Subject code").fill("S-017")
    alice.locator("input[name=file]").set_input_files(ROOT / "samples" / "film-01.jpeg")
    alice.get_by_role("button", name="Upload 1 film").click()
    uploaded = alice.locator(".pw-upload").filter(has_text="film-01.jpeg")
    expect(uploaded).to_contain_text(re.compile(r"Uploaded as PW-\d{6}"))
    expect(uploaded).to_contain_text(RESULT, timeout=ANALYSED_WITHIN)
    assert alice.url.endswith("/upload/")
    reference = re.search(r"PW-\d{6}", uploaded.inner_text())
    assert reference is not None

    alice.get_by_role("link", name="Films", exact=True).click()
    alice.get_by_label("Search").fill("S-017")
    found = alice.locator(".pw-films tbody tr")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(reference[0])
    expect(found).to_contain_text(RESULT)
    expect(alice).to_have_url(re.compile(r"\?q=S-017$"))
    found.get_by_role("link").click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text(reference[0])


@pytest.fixture
def paused_worker(system: Stack) -> Iterator[Callable[[], None]]:
    """The worker is stopped until the test calls this."""
    group = system.processes["worker"].pid
    os.killpg(group, signal.SIGSTOP)
    yield lambda: os.killpg(group, signal.SIGCONT)
    os.killpg(group, signal.SIGCONT)


def test_a_waiting_film_in_the_history_gets_its_result_without_reloading(
    alice: Page, paused_worker: Callable[[], None]
) -> None:
    choose_and_upload(alice, film(201))
    expect(alice.locator(".pw-upload")).to_contain_text("Waiting")
    alice.goto("/studies/")
    newest = alice.locator(".pw-films tbody tr").first
    expect(newest).to_contain_text("Waiting")
    alice.evaluate("window.sameDocument = true")
    paused_worker()
    expect(newest).to_contain_text(RESULT, timeout=ANALYSED_WITHIN)
    expect(alice.locator("#announcer")).to_contain_text("the operating point")
    assert alice.evaluate("window.sameDocument") is True


def test_films_are_dropped_and_a_bad_file_does_not_stop_the_others(alice: Page, watch: Watch) -> None:
    watch.expect("status of 415")
    watch.expect("status of 400")
    files = [(f"{seed}.png", base64.b64encode(chest_png(seed=seed)).decode()) for seed in (301, 302, 303)]
    files.insert(1, ("letter.png", base64.b64encode(b"Dear colleague, " * 50).decode()))
    alice.goto("/upload/")
    alice.evaluate(DROP, [files])
    alice.get_by_role("button", name="Upload 4 films").click()
    for name in ("301.png", "302.png", "303.png"):
        expect(alice.locator(".pw-upload").filter(has_text=name)).to_contain_text(
            RESULT, timeout=ANALYSED_WITHIN
        )
    expect(alice.locator(".pw-upload").filter(has_text="letter.png")).to_contain_text("not a JPEG or PNG")
    expect(alice.locator("[data-summary]")).to_have_text("3 uploaded, 1 refused")


def test_a_film_that_is_here_already_leads_to_it(alice: Page) -> None:
    choose_and_upload(alice, film(401, "first.png"))
    expect(alice.locator(".pw-upload")).to_contain_text("Uploaded as")
    choose_and_upload(alice, film(401, "again.png"))
    expect(alice.locator(".pw-upload")).to_contain_text("Already here as")
    alice.get_by_role("link", name=re.compile(r"Open PW-")).click()
    expect(alice).to_have_url(re.compile(r"/studies/[0-9a-f-]{36}/$"))


def test_after_a_broken_connection_the_film_can_be_sent_again(alice: Page, watch: Watch) -> None:
    watch.expect("ERR_FAILED")
    alice.goto("/upload/")
    alice.route(
        "**/upload/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    alice.locator("input[name=file]").set_input_files([film(501)])
    alice.get_by_role("button", name="Upload 1 film").click()
    lost = alice.locator(".pw-upload")
    expect(lost).to_contain_text("The connection broke")
    alice.unroute("**/upload/")
    lost.get_by_role("button", name="Try again").click()
    expect(lost).to_contain_text("Uploaded as")


def test_a_file_that_is_too_large_is_not_even_sent(alice: Page, tmp_path: Path) -> None:
    sent: list[str] = []
    alice.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    alice.goto("/upload/")
    alice.locator("input[name=file]").set_input_files(large)
    expect(alice.locator(".pw-upload")).to_contain_text("at most 50 MB")
    assert not [url for url in sent if url.endswith("/upload/")]


def test_upload_works_without_javascript(signed_in: SignIn) -> None:
    context = signed_in.context("alice", java_script_enabled=False)
    page = context.new_page()
    page.goto("/upload/")
    letter: FilePayload = {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear colleague"}
    page.locator("input[name=file]").set_input_files([film(601, "one.png"), letter, film(602, "two.png")])
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".pw-upload--uploaded")).to_have_count(2)
    expect(page.locator(".pw-upload--refused")).to_contain_text("letter.png")
    context.close()
