"""Fixtures: the whole system, a web server alone, Django's test server, and browser windows on each."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.helpers.people import PEOPLE, SignIn
from tests.e2e.helpers.watch import Watch
from tests.e2e.helpers.web_server import WebServer
from tests.support.second_factor import just_signed_in
from tests.support.servers.stack import ADMIN_PASSWORD, Stack
from tests.support.servers.waiting import wait_until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Playwright's loop runs in this thread; the tests that share Django's test server use the database beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # the machine may be busy; nothing here is measured

OpenWindow = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The installed browser, without requests of its own for updates or translations."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"No browser at {CHROMIUM}: install chromium, or set CHROMIUM to one.")
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox", *quiet]}


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, worker with the shipped model, and web server over a temporary folder."""
    stack = Stack(tmp_path_factory.mktemp("e2e") / "var")
    stack.var.mkdir()
    try:
        stack.prepare()
        stack.manage("collectstatic", "--noinput", "--verbosity", "0")
        stack.manage("shell", "-c", PEOPLE.format(password=ADMIN_PASSWORD))
        stack.start_broker()
        stack.start_web()
        stack.start_worker()
        wait_until(lambda: _model_loaded(stack), seconds=240, what="the worker's model", every=0.5)
        yield stack
    finally:
        stack.stop()


def _model_loaded(stack: Stack) -> bool:
    return bool(requests.get(f"{stack.url}/health", timeout=5).json()["model_loaded"])


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web server alone, with films in chosen states."""
    web_server = WebServer(
        tmp_path_factory.mktemp("web_server") / "var", settings={"CELERY_BROKER_URL": "memory://"}
    )
    try:
        web_server.fill()
        web_server.start_web()
        yield web_server
    finally:
        web_server.stop()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, system: Stack, tmp_path_factory: pytest.TempPathFactory) -> SignIn:
    """Signs each person in once, through the page."""
    return SignIn(browser, system, tmp_path_factory.mktemp("sessions"))


@pytest.fixture
def watch(system: Stack) -> Iterator[Watch]:
    """Collects errors of the pages it looks at; the test fails at its end if there were any."""
    watch = Watch(system.url)
    yield watch
    assert watch.complaints == []


@pytest.fixture
def alice(signed_in: SignIn, watch: Watch) -> Iterator[Page]:
    """A watched page of the uploader."""
    context = signed_in.context("alice", viewport={"width": 1280, "height": 900})
    yield watch.look_at(context.new_page())
    context.close()


@pytest.fixture
def live_window(browser: Browser, live_server: Any) -> Iterator[OpenWindow]:
    """Open windows on Django's test server, signed in: `live_window(user, width=…, theme=…, …)`."""
    contexts: list[BrowserContext] = []

    def open_window(
        user: User, *, width: int = 1280, theme: Literal["light", "dark"] = "light", **options: Any
    ) -> Page:
        viewport: ViewportSize = {"width": width, "height": 900}
        context = browser.new_context(
            base_url=live_server.url,
            viewport=viewport,
            color_scheme=theme,
            **options,
        )
        contexts.append(context)
        client = just_signed_in(Client(), user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def web_sign_in(browser: Browser, web_server: WebServer, tmp_path_factory: pytest.TempPathFactory) -> SignIn:
    """Signs each person in to the web server once, through the page."""
    return SignIn(browser, web_server, tmp_path_factory.mktemp("web_server-sessions"))


@pytest.fixture
def web_watch(web_server: WebServer) -> Iterator[Watch]:
    """Collects errors of the web server's pages; the test fails at its end if there were any."""
    watch = Watch(web_server.url)
    yield watch
    assert watch.complaints == []


@pytest.fixture
def window(web_sign_in: SignIn, web_watch: Watch) -> Iterator[OpenWindow]:
    """Open a watched window: `window("rania", width=1440, theme="light")`, more options as Playwright's."""
    contexts: list[BrowserContext] = []

    def open_window(name: str, *, width: int = 1440, theme: str = "light", **options: Any) -> Page:
        size = {"width": width, "height": 900}
        context = web_sign_in.context(
            name, viewport=size, color_scheme=theme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        return web_watch.look_at(context.new_page())

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def film(web_server: WebServer) -> str:
    """The address of a film with a result that nobody reviews."""
    return f"/studies/{web_server.films['read'][0]}/"
