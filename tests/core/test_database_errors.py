"""The database is gone: every page says so with 503 and when to try again, and none needs it to say that."""

import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connections
from django.db.utils import load_backend
from django.test import Client
from django.urls import reverse

from core.database_errors import RETRY_AFTER_SECONDS
from diagnosis.models import Study
from tests.support.api import film_upload
from tests.support.cast import PASSWORD, Cast
from tests.support.servers.postgres import RestartableServer
from tests.support.servers.stack import ADMIN, ADMIN_PASSWORD, Stack

DISCLAIMER = "Research and education only. Not for clinical use."
INSIDES = ("Traceback", "psycopg", "sqlite", "OperationalError", "/tmp")
SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"


def unopenable(folder: Path) -> dict[str, Any]:
    return {"ENGINE": SQLITE, "NAME": str(folder / "nowhere" / "db.sqlite3")}


def damaged(folder: Path) -> dict[str, Any]:
    (folder / "db.sqlite3").write_bytes(b"no database " * 500)
    return {"ENGINE": SQLITE, "NAME": str(folder / "db.sqlite3")}


def locked(folder: Path) -> dict[str, Any]:
    holder = sqlite3.connect(folder / "db.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    HOLDERS.append(holder)
    return {"ENGINE": SQLITE, "NAME": str(folder / "db.sqlite3"), "OPTIONS": {"timeout": 0.01}}


def not_running(folder: Path) -> dict[str, Any]:
    return {"ENGINE": POSTGRESQL, "NAME": "pneumoweb", "HOST": str(folder), "OPTIONS": {}}


HOLDERS: list[sqlite3.Connection] = []


@pytest.fixture(params=[unopenable, damaged, locked, not_running])
def alice(
    request: pytest.FixtureRequest, finished_study: Study, cast: Cast, tmp_path: Path
) -> Iterator[Client]:
    """Alice's browser, signed in a moment before the database went."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.alice)
    usual = connections["default"]
    gone = {**usual.settings_dict, **request.param(tmp_path)}
    connections["default"] = load_backend(gone["ENGINE"]).DatabaseWrapper(gone, "default")
    yield client
    connections["default"].close()
    connections["default"] = usual
    while HOLDERS:
        HOLDERS.pop().close()


def assert_says_so(response: Any) -> str:
    """Check status, header and words of the page; return it."""
    page: str = response.content.decode()
    assert response.status_code == 503, page[:500]
    assert response.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
    assert "no-store" in response.headers["Cache-Control"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert page.count(DISCLAIMER) == 1
    assert "The database cannot be used at the moment" in page
    assert response.headers["X-Request-ID"] in page
    assert not [word for word in INSIDES if word in page]
    return page


def test_pages_for_people_say_so_and_lead_back(alice: Client, finished_study: Study) -> None:
    for address in (
        "/studies/?q=S-017",
        f"/studies/{finished_study.uid}/",
        f"/studies/{finished_study.uid}/files/display.png",
        "/worklist/",
        "/dashboard/",
        "/admin/",
    ):
        page = assert_says_so(alice.get(address))
        assert f'href="{address}"' in page
        assert f"Try again in {RETRY_AFTER_SECONDS} seconds" in page


def test_what_was_sent_is_not_said_to_be_stored(alice: Client, finished_study: Study) -> None:
    signing_in = Client(raise_request_exception=False)
    name_and_password = {"username": "alice", "password": PASSWORD}
    for response in (
        alice.post("/upload/", {"files": film_upload()}),
        alice.post(f"/studies/{finished_study.uid}/reviews/", {"finding": "pneumonia"}),
        signing_in.post(reverse("login"), name_and_password),
    ):
        assert "may not have been stored" in assert_says_so(response)


@pytest.mark.parametrize("signed_in", [True, False])
def test_programs_and_probes_hear_it_too(alice: Client, signed_in: bool) -> None:
    client = alice if signed_in else Client(raise_request_exception=False)
    for address in ("/readyz", "/health", "/api/v1/studies/"):
        headers = {"Authorization": f"Token {'a' * 64}"} if address.startswith("/api/") else {}
        response = client.get(address, headers=headers)
        assert (response.status_code, response.headers["Retry-After"]) == (503, str(RETRY_AFTER_SECONDS))
        assert "json" in response.headers["Content-Type"]
        assert "database" in response.content.decode()
    assert client.get("/healthz").status_code == 200


def test_a_postgresql_that_takes_calls_and_never_answers_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://user:word@127.0.0.1:{silent.getsockname()[1]}/pneumoweb"
        done = Stack(tmp_path, settings={"DATABASE_URL": url}).try_manage("migrate", "--check")
    assert done.returncode != 0
    assert "timeout" in done.stderr


@pytest.mark.nightly
def test_a_stopped_postgresql_is_said_at_once_and_forgotten_once_it_is_back(
    restartable_postgres: RestartableServer, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    settings = {"DATABASE_URL": restartable_postgres.url, "CELERY_BROKER_URL": "memory://"}
    stack = Stack(tmp_path / "var", settings=settings)
    try:
        stack.prepare()
        stack.manage("collectstatic", "--noinput", "--verbosity", "0")
        stack.start_web()
        browser = requests.Session()
        form = browser.get(f"{stack.url}/accounts/login/", timeout=20).text
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[0]
        sent = {"username": ADMIN, "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": token}
        browser.post(f"{stack.url}/accounts/login/", sent, headers={"Referer": stack.url}, timeout=20)
        assert browser.get(f"{stack.url}/studies/", timeout=20).status_code == 200
        restartable_postgres.stop()
        for address in ("/studies/", "/worklist/", "/readyz", "/health", "/api/v1/studies/"):
            gone = browser.get(f"{stack.url}{address}", timeout=20)
            assert (gone.status_code, gone.headers["Retry-After"]) == (503, str(RETRY_AFTER_SECONDS)), address
            assert gone.elapsed.total_seconds() < 5
            assert not [word for word in INSIDES if word in gone.text]
        restartable_postgres.start()
        assert browser.get(f"{stack.url}/studies/", timeout=20).status_code == 200
    finally:
        stack.stop()
