"""How soon a full-size film (3000×2500) is to be seen on the study page, and how smoothly it is moved.

    .venv/bin/python -m benchmarks.viewer --output benchmarks/results/viewer.json

Starts an installation of its own with everything that ./run.sh starts, sends one made-up film with the noise
of a radiograph, and opens its page in Chromium. Cold: a new browser with nothing kept; warm: the page again.
Times are in milliseconds from the start of the navigation to the film drawn on the screen, whole and sharp.
Needs requirements-dev.txt and Chromium.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.comparison.machine import machine_facts, p95, write_result
from benchmarks.comparison.systems import Ours

HEIGHT, WIDTH = 3000, 2500
# Notes when all of the film has been loaded, decoded and drawn.
WATCH = """
window.seen = {};
new MutationObserver(function () {
  const root = document.querySelector("[data-viewer]");
  if (!root) return;
  if (root.dataset.ready === "true" && !("ready" in window.seen)) {
    window.seen.ready = -1;
    requestAnimationFrame(() => requestAnimationFrame(() => (window.seen.ready = performance.now())));
  }
}).observe(document, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"],
});
"""
FRAMES = """() => {
  window.frames_ = []; let last = performance.now();
  const step = (now) => {
    window.frames_.push(now - last); last = now; window.ticking = requestAnimationFrame(step);
  };
  window.ticking = requestAnimationFrame(step);
}"""


def made_up_film(seed: int = 0) -> bytes:
    """Return a PNG with lungs, ribs and fine noise: as large to store and to decode as a real radiograph."""
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    grey: NDArray[np.float32] = 150 + 40 * np.cos(across / WIDTH * 2 * np.pi) + 18 * np.sin(down / 70)
    for centre in (0.3, 0.7):
        lung = ((across / WIDTH - centre) / 0.16) ** 2 + ((down / HEIGHT - 0.5) / 0.33) ** 2
        grey -= 75 * np.exp(-(lung**2))
    fine = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 0.8)
    pixels = np.clip(grey + 10 * fine, 0, 255).astype(np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def opened(page: Page, address: str) -> dict[str, float]:
    """Open the study page; return milliseconds since the navigation began, and the film's size as sent."""
    page.goto(address, wait_until="commit")
    page.wait_for_selector("[data-viewer][data-ready=true]", state="attached", timeout=60_000)
    while not page.evaluate("window.seen.ready > 0"):  # the page's policy lets no script wait for a condition
        page.wait_for_timeout(20)
    times: dict[str, float] = page.evaluate(
        """() => {
          const film = performance.getEntriesByType("resource").filter((one) => /display/.test(one.name));
          return {
            page: performance.getEntriesByType("navigation")[0].responseEnd,
            loaded: Math.max(...film.map((entry) => entry.responseEnd)),
            ready: window.seen.ready,
            kilobytes: Math.max(...film.map((entry) => entry.encodedBodySize)) / 1024,
          };
        }"""
    )
    return times


def moved(page: Page) -> dict[str, float]:
    """Drag and zoom for some seconds; return what the frames took, in milliseconds."""
    box = page.locator("[data-stage]").bounding_box()
    if box is None:
        raise SystemExit("The page shows no film.")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    for _notch in range(4):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(60)
    page.wait_for_timeout(500)
    page.evaluate(FRAMES)
    page.mouse.down()
    for step in range(120):
        angle = step / 12
        page.mouse.move(middle[0] + 120 * np.sin(angle), middle[1] + 90 * np.sin(angle / 2))
        page.wait_for_timeout(8)
    page.mouse.up()
    for notch in range(12):
        page.mouse.wheel(0, 240 if notch % 2 else -240)
        page.wait_for_timeout(50)
    frames: list[float] = page.evaluate(
        "() => { cancelAnimationFrame(window.ticking); return window.frames_; }"
    )
    return {"frames": len(frames), "median_ms": statistics.median(frames), "p95_ms": p95(frames)}


def signed_in(browser: Browser, ours: Ours) -> Any:
    """Sign in once and return the cookies."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{ours.url}/accounts/login/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", ours.password)
        page.click("form button[type=submit]")
        page.wait_for_url(lambda url: "login" not in url)
        return context.cookies()


def window(browser: Browser, cookies: Any) -> BrowserContext:
    """Return a new browser with nothing kept but the session."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(cookies)
    context.add_init_script(WATCH)
    return context


def measured(ours: Ours, visits: int) -> dict[str, Any]:
    """Send the film and open its page again and again."""
    film = made_up_film()
    study = ours.post("/api/v1/studies/", film)
    address = study["links"]["page"]
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        cookies = signed_in(browser, ours)
        cold, warm = [], []
        for _visit in range(visits):
            with window(browser, cookies) as context:
                page = context.new_page()
                cold.append(opened(page, address))
                warm.append(opened(page, address))
                movement = moved(page)
        browser.close()
    return {
        "film": {"width": WIDTH, "height": HEIGHT, "bytes": len(film)},
        "cold": medians(cold),
        "warm": medians(warm),
        "moving": {name: round(value, 1) for name, value in movement.items()},
        "visits": visits,
    }


def medians(visits: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each time."""
    return {name: round(statistics.median(visit[name] for visit in visits)) for name in visits[0]}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, help="JSON file for the result; it is printed in any case")
    parser.add_argument("--visits", type=int, default=5)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends this ends what it started
    with tempfile.TemporaryDirectory(prefix="pneumoweb-viewer-") as folder:
        ours = Ours(Path(folder))
        try:
            ours.start()
            result = {**measured(ours, options.visits), "machine": machine_facts()}
        finally:
            ours.stop()
    write_result(result, options.output)


if __name__ == "__main__":
    main()
