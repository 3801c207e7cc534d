"""URL intake: whatever a public server answers, it is a film within the limits or a refusal in time."""

import gzip
import socket
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from diagnosis.intake import url_fetch
from diagnosis.intake.url_fetch import fetch_url
from diagnosis.models import Study
from tests.support.api import assert_problem, client_of
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png
from tests.support.servers.internet import CERTIFICATES, Internet, Page, Visit, answer, redirect, refusal


@pytest.mark.parametrize(
    "kind", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml"]
)
def test_refuses_a_web_page(internet: Internet, kind: str) -> None:
    internet.pages["/film.png"] = answer(b"<html>", Content_Type=kind)
    refused = refusal("http://films.example/film.png")
    assert refused.code == "url_not_a_film"
    assert "web page" in refused.message


@pytest.mark.parametrize(
    "status", ["204 No Content", "206 Partial", "304 Not Modified", "403 No", "404 No", "500 No"]
)
def test_refuses_every_status_but_200(internet: Internet, status: str) -> None:
    internet.pages["/film.png"] = answer(b"film", status=status)
    assert refusal("http://films.example/film.png").code == "url_unreachable"


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
NONSENSE: dict[str, bytes] = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "endless header line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    "wrong chunk size": _CHUNKED + b"zz\r\nfilm",
    "ended early": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfilm",
    "chunk ended early": _CHUNKED + b"64\r\nfilm",
    "redirect to nowhere": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    "redirect to nonsense": b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_refuses_an_answer_that_is_broken(internet: Internet, kind: str) -> None:
    internet.pages["/film.png"] = lambda visit: visit.send(NONSENSE[kind])
    assert refusal("http://films.example/film.png").code == "url_unreachable"


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not visit.closing.is_set():
        visit.send(bytes(65536))


def endless_chunks(visit: Visit) -> None:
    visit.send(_CHUNKED)
    while not visit.closing.is_set():
        visit.send(b"10000\r\n" + bytes(65536) + b"\r\n")


@pytest.mark.parametrize("body", [endless, endless_chunks, answer(bytes(26 * 1024 * 1024))])
def test_stops_at_25_megabytes(internet: Internet, body: Page) -> None:
    internet.pages["/film.png"] = body
    tracemalloc.start()
    refused = refusal("http://films.example/film.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.code == "url_too_large"
    assert "25 MB" in refused.message
    assert peak < 64 * 1024 * 1024


def test_accepts_25_megabytes_exactly(internet: Internet) -> None:
    internet.pages["/film.png"] = answer(bytes(25 * 1024 * 1024))
    assert len(fetch_url("http://films.example/film.png")) == 25 * 1024 * 1024


GZIP_BOMB = gzip.compress(bytes(50 * 1024 * 1024))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_inflates_nothing(internet: Internet, encoding: str) -> None:
    internet.pages["/film.png"] = answer(GZIP_BOMB, Content_Encoding=encoding)
    tracemalloc.start()
    assert refusal("http://films.example/film.png").code == "url_unreachable"
    assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    tracemalloc.stop()


SLOW: dict[str, Page] = {
    "body": lambda visit: visit.drip(b"x", after=_OK + b"\r\n"),
    "body of known length": lambda visit: visit.drip(b"x", after=_OK + b"Content-Length: 9999\r\n\r\n"),
    "chunk size": lambda visit: visit.drip(b"0", after=_CHUNKED),
    "header": lambda visit: visit.drip(b"X: y\r\n", after=_OK, every=0.01),
    "status line": lambda visit: visit.drip(b"H"),
    "continue": lambda visit: visit.drip(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.001),
    "silence": lambda visit: visit.drip(b""),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", SLOW)
def test_gives_up_a_server_that_answers_byte_by_byte(
    internet: Internet, kind: str, scheme: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "films.example.crt"))
    settings.URL_INTAKE_TOTAL_SECONDS = 0.6
    internet.pages["/film.png"] = SLOW[kind]
    begun = time.monotonic()
    refused = refusal(f"{scheme}://films.example/film.png")
    assert refused.code == "url_too_slow"
    assert 0.5 < time.monotonic() - begun < 2.0


def test_gives_up_a_resolver_that_never_answers(internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE_TOTAL_SECONDS = 0.3
    internet.resolver_waits = threading.Event()
    begun = time.monotonic()
    refused = refusal("http://films.example/film.png")
    internet.resolver_waits.set()
    assert refused.code == "url_too_slow"
    assert time.monotonic() - begun < 2.0


def test_gives_up_a_connection_or_handshake_after_five_seconds(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url_fetch, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, then never answers
        through = internet._real_connect
        monkeypatch.setattr(socket.socket, "connect", lambda sock, _: through(sock, silent.getsockname()))
        begun = time.monotonic()
        assert refusal("https://films.example/film.png").code == "url_unreachable"
        assert time.monotonic() - begun < 2.0


@pytest.mark.nightly
def test_gives_up_after_twenty_seconds_as_shipped(internet: Internet) -> None:
    internet.pages["/film.png"] = SLOW["body"]
    begun = time.monotonic()
    assert refusal("http://films.example/film.png").code == "url_too_slow"
    assert 18 < time.monotonic() - begun < 22


# --- Through the API -----------------------------------------------------------------------------------


def stored_files() -> list[Path]:
    return [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.mark.usefixtures("active_model")
def test_a_film_at_a_url_becomes_a_study(cast: Cast, internet: Internet) -> None:
    internet.pages["/film.png"] = answer(chest_png(), Content_Type="image/png")
    sent = {"url": "http://films.example/film.png"}
    assert client_of(cast.alice).post("/api/v1/studies/", sent, format="json").status_code == 201
    assert Study.objects.get().source == Study.Source.URL


@pytest.mark.usefixtures("active_model")
@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("http://localhost/film.png", 400, "url_unreachable"),
        ("http://169.254.169.254/latest/meta-data/", 400, "url_unreachable"),
        ("http://films.example/inside", 400, "url_unreachable"),
        ("http://films.example/page", 400, "url_not_a_film"),
        ("http://films.example/letter", 400, "not_an_image"),
        ("http://films.example/empty", 400, "empty_file"),
        ("http://films.example/drawing", 415, "unsupported_format"),
        ("file:///etc/passwd", 400, "url_invalid"),
        ("http://films.example:6379/", 400, "url_invalid"),
    ],
)
def test_a_url_without_a_film_is_refused_and_stores_nothing(
    cast: Cast, internet: Internet, url: str, status: int, code: str
) -> None:
    internet.pages |= {
        "/inside": redirect("http://10.0.0.1/"),
        "/page": answer(b"<html>", Content_Type="text/html"),
        "/letter": answer(b"Dear colleague", Content_Type="image/png"),
        "/empty": answer(b"", Content_Type="image/png"),
        "/drawing": answer(b"<svg/>", Content_Type="image/svg+xml"),
    }
    said = client_of(cast.alice).post("/api/v1/studies/", {"url": url}, format="json")
    assert_problem(said, status, code)
    assert not Study.objects.exists()
    assert stored_files() == []
    assert internet.hits == []


@pytest.mark.usefixtures("active_model")
def test_the_api_explains_how_to_switch_url_intake_on(cast: Cast, internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE = False
    sent = {"url": "http://films.example/film.png"}
    said = client_of(cast.alice).post("/api/v1/studies/", sent, format="json")
    assert "URL_INTAKE=true" in assert_problem(said, 400, "url_intake_off")["detail"]
