"""URL intake: films are fetched from public addresses only."""

import socket
from typing import Any

import pytest

from core.http_status import status_of
from diagnosis.intake import url_fetch
from diagnosis.intake.url_fetch import fetch_url
from tests.support.hostile_urls import INVALID_URLS, PRIVATE_HOSTS
from tests.support.inputs.films import chest_png
from tests.support.servers.internet import (
    CERTIFICATES,
    PUBLIC_4,
    PUBLIC_6,
    Internet,
    answer,
    redirect,
    refusal,
)


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


def test_checks_the_address_inside_a_nat64_address() -> None:
    assert url_fetch.is_public(f"64:ff9b::{PUBLIC_4}")
    assert not url_fetch.is_public("64:ff9b::10.0.0.1")


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


def test_keeps_query_and_special_characters_of_the_path(internet: Internet) -> None:
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


def test_refuses_an_untrusted_certificate(internet: Internet) -> None:
    internet.pages["/film.png"] = answer(b"film")
    assert refusal("https://films.example/film.png").code == "url_unreachable"
    assert internet.visits == []


# --- The firewall -------------------------------------------------------------------------------------


def test_is_off_by_default(internet: Internet, settings: Any) -> None:
    settings.URL_INTAKE = False
    refused = refusal("http://films.example/film.png")
    assert refused.code == "url_intake_off"
    assert "URL_INTAKE=true" in refused.message
    assert internet.lookups == []


@pytest.mark.parametrize("url", INVALID_URLS)
def test_refuses_anything_but_a_plain_web_address(internet: Internet, url: str) -> None:
    assert refusal(url).code == "url_invalid"
    assert internet.lookups == []
    assert internet.connected == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_never_connects_to_an_address_that_is_not_public(internet: Internet, host: str, scheme: str) -> None:
    refused = refusal(f"{scheme}://{host}/film.png")
    assert (refused.code, refused.message) == ("url_unreachable", url_fetch._UNREACHABLE)
    assert_nothing_was_touched(internet)


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_follows_no_redirect_to_an_address_that_is_not_public(internet: Internet, host: str) -> None:
    internet.pages["/film.png"] = lambda visit: visit.send(
        f"HTTP/1.1 302 Found\r\nLocation: http://{host}/\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert refusal("http://films.example/film.png").message == url_fetch._UNREACHABLE
    assert len(internet.visits) == 1
    assert_nothing_was_touched(internet)


@pytest.mark.parametrize(
    "url", [url for url in INVALID_URLS if ":" in url and not {"\r", "\n", "\x00"} & set(url)]
)
def test_follows_no_redirect_to_anything_but_a_plain_web_address(internet: Internet, url: str) -> None:
    internet.pages["/film.png"] = lambda visit: visit.send(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + url.encode() + b"\r\n\r\n"
    )
    assert refusal("http://films.example/film.png").message == url_fetch._UNREACHABLE
    assert_nothing_was_touched(internet)


def test_connects_to_the_address_that_was_checked(internet: Internet) -> None:
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


def test_gives_one_message_for_private_addresses_unknown_names_and_dead_servers(internet: Internet) -> None:
    internet.pages["/gone"] = answer(b"stack trace", status="500 Oops")
    internet.pages["/silent"] = lambda visit: None
    urls = [
        "http://10.0.0.1/",
        "http://unknown.example/",
        "http://films.example/gone",
        "http://films.example/silent",
    ]
    said = {(refused.code, refused.message, status_of(refused)) for refused in map(refusal, urls)}
    assert said == {("url_unreachable", url_fetch._UNREACHABLE, 400)}


def test_the_canaries_are_reached_where_the_check_is_off(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url_fetch, "is_public", lambda address: True)
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
