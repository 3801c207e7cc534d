"""URL intake: public films are fetched, and nothing behind the firewall is ever touched."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from diagnosis import fetch
from diagnosis.errors import UrlRefused
from diagnosis.fetch import fetch_url
from tests.films import chest_png
from tests.hostile_urls import INVALID_URLS, NAMES, PRIVATE_HOSTS
from tests.internet import CERTIFICATES, PUBLIC_4, PUBLIC_6, Internet, Page, Visit, answer, redirect


@pytest.fixture(scope="module")
def servers() -> Iterator[Internet]:
    made = Internet()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def internet(servers: Internet, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Internet:
    settings.URL_INTAKE = True
    settings.URL_INTAKE_ALLOWED_HOSTS = []
    servers.forget()
    servers.names |= {name: list(answers) for name, answers in NAMES.items()}
    servers.names["films.example"] = [[PUBLIC_4]]
    servers.replace_the_real_one(monkeypatch)
    return servers


def refusal(url: str) -> UrlRefused:
    with pytest.raises(UrlRefused) as caught:
        fetch_url(url)
    return caught.value


def assert_nothing_was_touched(internet: Internet) -> None:
    assert internet.hits == []
    assert set(internet.connected) <= {PUBLIC_4, PUBLIC_6}


# --- What works ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://films.example/film.png", "HTTP://FILMS.example:80/film.png", " http://films.example/film.png\n"],
)
def test_fetches_a_film_from_a_public_address(internet: Internet, url: str) -> None:
    internet.pages["/film.png"] = answer(chest_png(), Content_Type="image/png")
    assert fetch_url(url) == chest_png()
    assert internet.connected == [PUBLIC_4]
    assert "\r\nHost: films.example" in internet.visits[0]


def test_fetches_over_ipv6(internet: Internet) -> None:
    internet.names["films.example"] = [[PUBLIC_6]]
    internet.pages["/film.png"] = answer(b"film")
    assert fetch_url("http://films.example/film.png") == b"film"
    assert internet.connected == [PUBLIC_6]


def test_looks_into_nat64_addresses() -> None:
    assert fetch.is_public(f"64:ff9b::{PUBLIC_4}")
    assert not fetch.is_public("64:ff9b::10.0.0.1")


def test_tries_the_next_address_where_one_does_not_answer(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.names["films.example"] = [[PUBLIC_6, PUBLIC_4]]
    internet.pages["/film.png"] = answer(b"film")
    through = socket.socket.connect

    def broken_ipv6(sock: socket.socket, address: Any) -> None:
        if sock.family == socket.AF_INET6:
            raise OSError("no route to host")
        through(sock, address)

    monkeypatch.setattr(socket.socket, "connect", broken_ipv6)
    assert fetch_url("http://films.example/film.png") == b"film"


def test_keeps_query_and_odd_letters_of_the_path(internet: Internet) -> None:
    internet.pages["/caf%C3%A9%20film.png?size=a%20b&x=%2F"] = answer(b"film")
    assert fetch_url("http://films.example/café film.png?size=a b&x=%2F#part") == b"film"


def test_sends_nothing_about_this_machine(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine films.example login secret password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    internet.pages["/film.png"] = answer(b"film")
    assert fetch_url("http://films.example/film.png") == b"film"
    assert_nothing_was_touched(internet)
    names = {line.split(":")[0] for line in internet.visits[0].splitlines()[1:] if line}
    assert names == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_follows_a_redirect(internet: Internet, status: str) -> None:
    internet.pages["/old"] = redirect("film.png", status)
    internet.pages["/film.png"] = answer(b"film")
    assert fetch_url("http://films.example/old") == b"film"


def test_follows_three_redirects_but_not_four(internet: Internet) -> None:
    for number in range(4):
        internet.pages[f"/{number}"] = redirect(f"http://films.example/{number + 1}")
    internet.pages["/4"] = answer(b"film")
    assert fetch_url("http://films.example/1") == b"film"
    assert refusal("http://films.example/0").code == "url_unreachable"


# --- Encryption ---------------------------------------------------------------------------------------


def test_checks_the_certificate_against_the_name_not_the_address(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "films.example.crt"))
    internet.pages["/film.png"] = answer(b"film")
    assert fetch_url("https://films.example/film.png") == b"film"
    assert internet.server_names == ["films.example"]
    assert internet.connected == [PUBLIC_4]


def test_refuses_a_certificate_for_another_name(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "films.example.crt"))
    internet.names["other.example"] = [[PUBLIC_4]]
    internet.pages["/film.png"] = answer(b"film")
    assert refusal("https://other.example/film.png").code == "url_unreachable"
    assert internet.visits == []


def test_refuses_a_certificate_that_nobody_vouches_for(internet: Internet) -> None:
    internet.pages["/film.png"] = answer(b"film")
    assert refusal("https://films.example/film.png").code == "url_unreachable"
    assert internet.visits == []


# --- The firewall -------------------------------------------------------------------------------------


def test_is_off_until_an_administrator_switches_it_on(internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE = False
    refused = refusal("http://films.example/film.png")
    assert refused.code == "url_intake_off"
    assert "URL_INTAKE=true" in refused.message
    assert internet.lookups == []


@pytest.mark.parametrize("url", INVALID_URLS)
def test_refuses_what_is_no_plain_web_address(internet: Internet, url: str) -> None:
    assert refusal(url).code == "url_invalid"
    assert internet.lookups == []
    assert internet.connected == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_never_connects_to_an_address_that_is_not_public(internet: Internet, host: str, scheme: str) -> None:
    refused = refusal(f"{scheme}://{host}/film.png")
    assert (refused.code, refused.message) == ("url_unreachable", fetch._UNREACHABLE)
    assert_nothing_was_touched(internet)


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_is_not_redirected_to_an_address_that_is_not_public(internet: Internet, host: str) -> None:
    internet.pages["/film.png"] = lambda visit: visit.send(
        f"HTTP/1.1 302 Found\r\nLocation: http://{host}/\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert refusal("http://films.example/film.png").message == fetch._UNREACHABLE
    assert len(internet.visits) == 1
    assert_nothing_was_touched(internet)


@pytest.mark.parametrize(
    "url", [url for url in INVALID_URLS if ":" in url and not {"\r", "\n", "\x00"} & set(url)]
)
def test_is_not_redirected_to_what_is_no_plain_web_address(internet: Internet, url: str) -> None:
    internet.pages["/film.png"] = lambda visit: visit.send(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + url.encode() + b"\r\n\r\n"
    )
    assert refusal("http://films.example/film.png").message == fetch._UNREACHABLE
    assert_nothing_was_touched(internet)


def test_connects_to_the_very_address_that_was_checked(internet: Internet) -> None:
    internet.names["films.example"] = [[PUBLIC_4], ["127.0.0.1"]]
    internet.pages["/film.png"] = answer(b"film")
    assert fetch_url("http://films.example/film.png") == b"film"
    assert internet.lookups == ["films.example"]
    assert internet.connected == [PUBLIC_4]


def test_checks_again_where_a_redirect_leads_back_to_a_name_that_changed(internet: Internet) -> None:
    internet.names["films.example"] = [[PUBLIC_4], ["169.254.169.254"]]
    internet.pages["/film.png"] = redirect("/again")
    internet.pages["/again"] = answer(b"secret")
    assert refusal("http://films.example/film.png").code == "url_unreachable"
    assert internet.lookups == ["films.example"] * 2
    assert_nothing_was_touched(internet)


def test_says_the_same_about_a_private_address_an_unknown_name_and_a_dead_server(internet: Internet) -> None:
    internet.pages["/gone"] = answer(b"stack trace", status="500 Oops")
    internet.pages["/silent"] = lambda visit: None
    urls = [
        "http://10.0.0.1/",
        "http://unknown.example/",
        "http://films.example/gone",
        "http://films.example/silent",
    ]
    said = {(refused.code, refused.message, refused.http_status) for refused in map(refusal, urls)}
    assert said == {("url_unreachable", fetch._UNREACHABLE, 400)}


def test_the_canaries_sing_where_the_guard_is_off(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "is_public", lambda address: True)
    for host in ("127.0.0.1", "[::1]", "2130706433", "localhost"):
        assert refusal(f"http://{host}/").code == "url_unreachable"
    assert internet.hits == ["127.0.0.1", "::1", "127.0.0.1", "127.0.0.1"]


# --- Exceptions an administrator makes -------------------------------------------------------------------


def test_fetches_from_a_private_host_that_is_listed(
    internet: Internet, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.undo()  # the real resolver and the real network stack
    settings.URL_INTAKE = True
    host, port = internet.address_of("web")
    internet.pages["/film.png"] = answer(chest_png(), Content_Type="image/png")
    settings.URL_INTAKE_ALLOWED_HOSTS = [f"{host}:{port}"]
    assert fetch_url(f"http://{host}:{port}/film.png") == chest_png()


def test_a_listed_host_opens_only_its_own_port(internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE_ALLOWED_HOSTS = ["archive.internal:8042", "plain.internal"]
    internet.names |= {"archive.internal": [["10.0.0.9"]], "plain.internal": [["10.0.0.8"]]}
    assert refusal("http://archive.internal:8043/").code == "url_invalid"
    assert refusal("http://plain.internal:8042/").code == "url_invalid"
    assert refusal("http://archive.internal/").code == "url_unreachable"
    assert refusal("http://other.internal:8042/").code == "url_invalid"
    assert internet.hits == []
    refusal("http://archive.internal:8042/")
    refusal("http://plain.internal/")
    assert internet.connected == ["10.0.0.9", "10.0.0.8"]


def test_a_public_server_may_not_redirect_around_the_list(internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE_ALLOWED_HOSTS = ["127.0.0.1:8042"]
    internet.pages["/film.png"] = redirect("http://127.1:8042/")
    assert refusal("http://films.example/film.png").code == "url_unreachable"
    assert_nothing_was_touched(internet)


# --- What comes back ------------------------------------------------------------------------------------


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


def test_takes_25_megabytes_exactly(internet: Internet) -> None:
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
def test_gives_up_a_server_that_drips(
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
    monkeypatch.setattr(fetch, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, then says nothing
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
