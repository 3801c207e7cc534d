"""One id for a request: in its answer, on the error page, in every line of the log, and in the worker's."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path, reverse

from core.middleware.log_format import formatter
from core.middleware.request_id import current_id
from core.middleware.request_log import HEADER
from diagnosis.api import studies
from diagnosis.models import ModelVersion
from pneumoweb.celery import app
from tests.support.api import client_of, film_upload
from tests.support.cast import Cast

PROXYS = "3f2c9a7b5d1e4f60"


def stumble(request: Any) -> None:
    """A door with a fault of ours behind it."""
    raise RuntimeError("a fault of ours")


urlpatterns = [path("stumble/<str:word>/", lambda request, word: stumble(request), name="stumble")]
handler500 = "core.error_pages.server_error"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All lines as JSON, as an installation with LOG_FORMAT=json writes them."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter("json"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(level)
    root.removeHandler(handler)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_proxys_number_is_kept_and_given_back(client: Client, db: None) -> None:
    assert client.get("/healthz", headers={HEADER: PROXYS})[HEADER] == PROXYS


@pytest.mark.parametrize(
    "sent",
    ["", "short", "x" * 20, "a" * 65, "0123456789 Mustermann", "0123456789abcdef\n", "<b>01234567</b>"],
)
def test_anything_else_is_replaced_by_a_number_of_our_own(client: Client, db: None, sent: str) -> None:
    given = client.get("/healthz", headers={HEADER: sent})[HEADER]
    assert given != sent
    assert len(given) == 32
    assert given != client.get("/healthz")[HEADER]


def test_outside_a_request_there_is_none(client: Client, db: None) -> None:
    client.get("/healthz", headers={HEADER: PROXYS})
    assert current_id() == ""


@override_settings(ROOT_URLCONF=__name__)
def test_the_error_page_shows_the_number_and_the_log_has_the_traceback_under_it(log: io.StringIO) -> None:
    answer = Client(raise_request_exception=False).get("/stumble/now/", headers={HEADER: PROXYS})
    assert answer.status_code == 500
    assert answer[HEADER] == PROXYS
    assert PROXYS in answer.content.decode()
    (fault,) = [line for line in lines(log) if line["level"] == "ERROR"]
    assert fault["request_id"] == PROXYS
    assert "a fault of ours" in fault["traceback"]


def test_a_fault_of_the_api_names_the_number(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "submit", stumble)
    answer = client_of(cast.alice).post("/api/v1/studies/", {"file": film_upload()}, headers={HEADER: PROXYS})
    assert answer.status_code == 500
    assert PROXYS in answer.json()["detail"]


def test_every_request_has_one_line_with_route_status_and_time(
    client: Client, cast: Cast, log: io.StringIO
) -> None:
    client.force_login(cast.alice)
    client.get(reverse("studies"), headers={HEADER: PROXYS})
    (line,) = [line for line in lines(log) if line["logger"] == "core.middleware.request_log"]
    assert (line["method"], line["path"], line["status"]) == ("GET", reverse("studies"), 200)
    assert line["request_id"] == PROXYS
    assert line["milliseconds"] >= 0


def test_what_is_searched_typed_or_sent_stands_in_no_line(cast: Cast, log: io.StringIO) -> None:
    client = Client(raise_request_exception=False)
    client.get("/studies/?q=canary-query", headers={"Authorization": "Token canary-token"})
    client.post(reverse("login"), {"username": "canary-name", "password": "canary-password"})
    client.get("/studies/?q=%00canary-query", headers={HEADER: "canary-number"})
    client.force_login(cast.alice)
    film = film_upload()
    film.name = "canary-film.png"
    client.post(reverse("upload"), {"project": cast.project.pk, "file": film, "subject_code": "canary code"})
    told = [line for line in lines(log) if line["logger"] == "core.middleware.request_log"]
    assert len(told) == 4
    # Not django.db's: it writes its questions at the level DEBUG only.
    assert [line for line in lines(log) if "canary" in json.dumps(line) and line["level"] != "DEBUG"] == []


def test_an_address_cannot_write_a_line_of_its_own(client: Client, db: None, log: io.StringIO) -> None:
    client.get("/nothing%0AERROR root forged/")
    assert len(log.getvalue().splitlines()) == len(lines(log))
    log.truncate(0)
    text = logging.StreamHandler(log)
    text.setFormatter(formatter("text"))
    logging.getLogger("core.middleware.request_log").addHandler(text)
    try:
        client.get("/nothing%0AERROR root forged/")
    finally:
        logging.getLogger("core.middleware.request_log").removeHandler(text)
    assert "\nERROR root forged" not in log.getvalue()


def test_text_for_people_has_the_number_in_brackets(client: Client, db: None) -> None:
    record = logging.LogRecord("diagnosis", logging.INFO, __file__, 1, "a film", (), None)
    assert formatter("text").format(record).endswith("INFO diagnosis a film")
    seen: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(formatter("text").format(record))

    handler = Noting()
    logging.getLogger("core.middleware.request_log").addHandler(handler)
    try:
        client.get("/nothing/", headers={HEADER: PROXYS})
    finally:
        logging.getLogger("core.middleware.request_log").removeHandler(handler)
    assert f"INFO core.middleware.request_log [{PROXYS}] GET /nothing/ 404 in " in seen[0]


@app.task(name="tests.which_request")
def which_request() -> str:
    return current_id()


@override_settings(ROOT_URLCONF=__name__)
def test_the_number_goes_with_a_task_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message as a request sends it, taken up as a worker takes it up."""
    sent: list[dict[str, Any]] = []

    def publish(request: Any) -> None:
        with app.connection_for_write() as connection:
            app.send_task("tests.which_request", connection=connection, queue="numbers")
            message = connection.SimpleQueue("numbers").get(timeout=5)
            sent.append(message.headers)
            message.ack()
        raise RuntimeError

    monkeypatch.setattr(f"{__name__}.stumble", publish)
    Client(raise_request_exception=False).get("/stumble/now/", headers={HEADER: PROXYS})
    assert sent[0]["request_id"] == PROXYS
    assert which_request.apply(headers={}, task_id="the-task").get() == "the-task"
    assert worker_runs(sent[0]) == PROXYS
    assert current_id() == ""


def worker_runs(headers: dict[str, Any]) -> str:
    from celery.app.trace import build_tracer

    tracer = build_tracer("tests.which_request", which_request, app=app)
    result: str = tracer(headers["id"], (), {}, headers).retval
    return result
