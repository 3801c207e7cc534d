"""A real worker on a real broker with the shipped model; kills and failures under load: tests/reliability."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.inputs.films import chest_png
from tests.support.servers.stack import ADMIN, ADMIN_PASSWORD, Stack
from tests.support.servers.waiting import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.tensorflow]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Broker and web are up; the test starts the worker itself."""
    stack = Stack(tmp_path / "var")
    stack.var.mkdir()
    stack.prepare()
    stack.start_broker()
    stack.start_web()
    yield stack
    stack.stop()


def token(stack: Stack) -> dict[str, str]:
    body = {"username": ADMIN, "password": ADMIN_PASSWORD}
    answer = requests.post(f"{stack.url}/api/v1/auth/login/", json=body, timeout=20)
    return {"Authorization": f"Token {answer.json()['token']}"}


def upload(stack: Stack, headers: dict[str, str], seed: int) -> str:
    files = {"file": ("film.png", chest_png(seed=seed), "image/png")}
    answer = requests.post(f"{stack.url}/api/v1/studies/", files=files, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    uid: str = answer.json()["id"]
    return uid


def rows(stack: Stack) -> list[tuple[str, int]]:
    """Read the rows from the database file."""
    with sqlite3.connect(stack.var / "db.sqlite3", timeout=20) as database:
        return database.execute("select status, attempts from diagnosis_prediction").fetchall()


def unfinished(stack: Stack) -> int:
    return sum(status in ("queued", "running") for status, _ in rows(stack))


def test_films_uploaded_while_the_broker_is_down_are_analysed_when_it_is_back(stack: Stack) -> None:
    headers = token(stack)
    stack.start_worker()
    stack.kill("broker")
    started = time.monotonic()
    for number in range(4):
        upload(stack, headers, seed=number)
    assert time.monotonic() - started < 4 * 2.5
    stack.start_broker()
    wait_until(lambda: unfinished(stack) == 0, seconds=90, what="the films to be analysed")
    assert [status for status, _ in rows(stack)] == ["succeeded"] * 4


def test_a_killed_child_is_replaced_and_its_film_analysed(stack: Stack) -> None:
    headers = token(stack)
    stack.start_worker()
    upload(stack, headers, seed=1)
    wait_until(lambda: unfinished(stack) == 0, seconds=90, what="the first film")
    parent = psutil.Process(stack.processes["worker"].pid)
    heaviest = max(parent.children(recursive=True), key=lambda process: process.memory_info().rss)
    heaviest.send_signal(signal.SIGKILL)
    upload(stack, headers, seed=2)
    wait_until(lambda: unfinished(stack) == 0, seconds=60, what="the film after the kill")


def test_celerys_parent_never_loads_tensorflow_but_its_child_does(stack: Stack) -> None:
    headers = token(stack)
    stack.start_worker()
    upload(stack, headers, seed=1)
    wait_until(lambda: unfinished(stack) == 0, seconds=90, what="the film")
    parent = psutil.Process(stack.processes["worker"].pid)
    children = parent.children(recursive=True)
    assert not _maps_tensorflow(parent.pid)
    assert any(_maps_tensorflow(child.pid) for child in children)
    assert not _maps_tensorflow(stack.processes["web"].pid)


def _maps_tensorflow(pid: int) -> bool:
    return "libtensorflow" in Path(f"/proc/{pid}/maps").read_text()
