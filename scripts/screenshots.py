"""Pictures of every page for docs/screenshots, at two widths, light and dark, from a running installation.

    PNEUMOWEB_PASSWORD=… .venv/bin/python -m scripts.screenshots --server http://127.0.0.1:8000

The installation holds what scripts/demo.py makes, and runs with ADMIN_SECOND_FACTOR=false so that the
administration can be photographed. Needs requirements-dev.txt and Chromium.
"""

from __future__ import annotations

import argparse
import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS = {"wide": 1440, "phone": 390}
TALLEST = 2200  # pixels; what is below is cut off
# Name of the picture, who looks, address; {film} and {batch} are those of the installation.
PAGES = [
    ("sign-in", None, "/accounts/login/"),
    ("history", "paediatrician", "/studies/"),
    ("study", "paediatrician", "/studies/{film}/"),
    ("worklist", "paediatrician", "/worklist/"),
    ("upload", "nurse", "/upload/"),
    ("batches", "nurse", "/batches/"),
    ("batch", "nurse", "/batches/{batch}/"),
    ("notifications", "nurse", "/notifications/"),
    ("projects", "paediatrician", "/projects/"),
    ("project", "paediatrician", "/projects/ward-7/"),
    ("dashboard", "auditor", "/dashboard/?project=ward-7"),
    ("discordance", "auditor", "/discordance/"),
    ("adjudications", "head", "/adjudication/"),
    ("reading-rules", "head", "/reading-rules/"),
    ("burned-in-text", "head", "/burned-in-text/"),
    ("trash", "head", "/trash/"),
    ("export", "auditor", "/exports/"),
    ("audit", "auditor", "/audit/"),
    ("model", "paediatrician", "/model/"),
    ("preferences", "paediatrician", "/preferences/"),
    ("tokens", "paediatrician", "/accounts/tokens/"),
    ("second-factor", "head", "/accounts/second-factor/"),
    ("admin", "head", "/admin/"),
    ("api", "paediatrician", "/api/v1/docs/"),
]


def main() -> None:
    """Photograph every page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--only", nargs="*", help="names of pictures")
    options = parser.parse_args()
    pages = [page for page in PAGES if not options.only or page[0] in options.only]
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        for person in dict.fromkeys(person for _, person, _ in pages):
            mine = [(name, address) for name, who, address in pages if who == person]
            photograph(browser, options.server, person, mine)
        browser.close()


def photograph(browser: Browser, server: str, person: str | None, pages: list[tuple[str, str]]) -> None:
    """Photograph the pages as one person sees them."""
    state = None
    places: dict[str, str] = {}
    if person is not None:
        context = browser.new_context(base_url=server)
        places = sign_in(context, person)
        state = context.storage_state()
        context.close()
    for form, width in WIDTHS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                base_url=server,
                viewport={"width": width, "height": 900},
                color_scheme=theme,  # type: ignore[arg-type]
                storage_state=state,
            )
            for name, address in pages:
                page = context.new_page()
                answer = page.goto(address.format(**places))
                page.wait_for_load_state("networkidle")
                status = answer.status if answer else 0
                if status != 200:
                    print(f"{name}: {address} answered {status}")
                save(page.screenshot(full_page=True), FOLDER / f"{name}-{form}-{theme}.webp")
                page.close()
            context.close()


def sign_in(context: BrowserContext, person: str) -> dict[str, str]:
    """Sign in through the page; return the film and the batch to show."""
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill(os.environ["PNEUMOWEB_PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    places = {}
    for name, address in (("film", "/api/v1/studies/"), ("batch", "/api/v1/batches/")):
        found = context.request.get(address).json().get("results", [])
        places[name] = found[0]["id"] if found else ""
    return places


def save(png: bytes, path: Path) -> None:
    """Write a picture, cut at TALLEST, as WebP."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.crop((0, 0, picture.width, min(picture.height, TALLEST))).save(path, quality=72, method=6)


if __name__ == "__main__":
    main()
