"""The people of the browser tests; each signs in once, through the page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, FilePayload

from tests.support.inputs.films import chest_png
from tests.support.servers.stack import ADMIN_PASSWORD, Stack

PEOPLE = """
from django.contrib.auth.models import Group, User
from diagnosis.models import Project
Project.objects.create(slug="ward-7", name="Ward 7", open_to_all=True)
for name, *roles in (("alice", "uploader"), ("rania", "reader"), ("kim", "uploader", "reader"), ("nora",)):
    user = User.objects.create_user(name, password="{password}")
    user.groups.set(Group.objects.filter(name__in=roles))
"""


class SignIn:
    """Makes browser contexts of people who are signed in."""

    def __init__(self, browser: Browser, system: Stack, folder: Path) -> None:
        self._browser, self._system, self._folder = browser, system, folder

    def context(self, name: str, **options: Any) -> BrowserContext:
        """Return a new context of the person; options are those of `Browser.new_context`."""
        state = self._folder / f"{name}.json"
        if not state.exists():
            self._sign_in(name, state)
        return self._browser.new_context(base_url=self._system.url, storage_state=state, **options)

    def _sign_in(self, name: str, state: Path) -> None:
        context = self._browser.new_context(base_url=self._system.url)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(ADMIN_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/studies/")
        context.storage_state(path=state)
        context.close()


def film(seed: int, name: str = "film.png") -> FilePayload:
    """A generated film as a file to choose; each seed gives another film."""
    return {"name": name, "mimeType": "image/png", "buffer": chest_png(seed=seed)}
