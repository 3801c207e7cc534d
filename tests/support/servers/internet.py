"""A made-up internet for tests of URL intake: its names, one public web server, and canaries on loopback.

The resolver and `connect` are replaced at the socket boundary. A connection to PUBLIC_4 or PUBLIC_6 reaches
the web server, every other one reaches a canary, whatever address it was for; nothing leaves the machine.
"""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.errors import UrlRefused
from diagnosis.intake.url_fetch import fetch_url

PUBLIC_4, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07::1"
CERTIFICATES = Path(__file__).parent / "certificates"

Page = Callable[["Visit"], None]


@dataclass(frozen=True)
class Visit:
    """One request at the web server: its head, and the connection to answer on."""

    head: str
    connection: socket.socket
    closing: threading.Event

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.connection.sendall(data)

    def drip(self, data: bytes, *, after: bytes = b"", every: float = 0.02) -> None:
        """Send `after` at once, then `data` over and over, byte by byte, until the visitor has gone."""
        self.send(after)
        while not self.closing.wait(every):
            for byte in data:
                self.send(bytes([byte]))
                if self.closing.wait(every):
                    return


def answer(body: bytes, *, status: str = "200 OK", **headers: str) -> Page:
    """Return a page with this body; header names are written with _ for -."""
    lines = {"Content-Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in lines.items())
    return lambda visit: visit.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def redirect(location: str, status: str = "302 Found") -> Page:
    """Return a page that sends its visitors on."""
    return answer(b"", status=status, Location=location)


@dataclass
class Internet:
    """What a test arranges (`names`, `pages`) and what happened; `hits` are visits to the canaries."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    lookups: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    hits: list[str] = field(default_factory=list)
    resolver_waits: threading.Event | None = None
    closing: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Open the servers: web, TLS and canary over IPv4, then the same over IPv6."""
        self._servers = [
            _listen(family, handler)
            for family in (socket.AF_INET, socket.AF_INET6)
            for handler in (self._serve, self._serve_tls, self._canary)
        ]

    def forget(self) -> None:
        """End what still drips, and begin a new test with nothing arranged and nothing seen."""
        self.closing.set()
        self.closing = threading.Event()
        self.resolver_waits = None
        for seen in (self.lookups, self.connected, self.visits, self.server_names, self.hits):
            seen.clear()
        self.names.clear()
        self.pages.clear()

    def replace_the_real_one(self, patch: pytest.MonkeyPatch) -> None:
        """Put the made-up resolver and `connect` in place until the patch is undone."""
        self._libc, self._real_connect = socket.getaddrinfo, socket.socket.connect
        patch.setattr(socket, "getaddrinfo", self._resolve)
        internet = self
        patch.setattr(socket.socket, "connect", lambda sock, address: internet._connect(sock, address))

    def stop(self) -> None:
        """Close the servers and end what still drips."""
        self.forget()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def address_of(self, which: str) -> tuple[str, int]:
        """Return where a server really listens: "web", "tls" or "canary", over IPv4."""
        index = {"web": 0, "tls": 1, "canary": 2}[which]
        host, port = self._servers[index].server_address[:2]
        return str(host), int(port)

    def _resolve(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        self.lookups.append(host)
        if self.resolver_waits is not None:
            self.resolver_waits.wait()
        answers = self.names.get(host)
        if answers is None:  # numbers in all spellings that the C library takes; real names are not looked up
            return self._libc(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        numeric = socket.AI_NUMERICHOST
        return [self._libc(one, port, type=socket.SOCK_STREAM, flags=numeric)[0] for one in now]

    def _connect(self, sock: socket.socket, address: Any) -> None:
        host, port = address[:2]
        self.connected.append(host)
        kind = (0 if port != 443 else 1) if host in (PUBLIC_4, PUBLIC_6) else 2
        server = self._servers[kind + (3 if sock.family == socket.AF_INET6 else 0)]
        self._real_connect(sock, server.server_address)

    def _canary(self, connection: socket.socket) -> None:
        self.hits.append(str(connection.getsockname()[0]))

    def _serve_tls(self, connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "films.example.crt", CERTIFICATES / "films.example.key")
        context.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        with context.wrap_socket(connection, server_side=True) as encrypted:
            self._serve(encrypted)

    def _serve(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(4096)
            if not part:
                return
            head += part
        self.visits.append(head.decode())
        path = head.split()[1].decode()
        page = self.pages.get(path, answer(b"", status="404 Not Found"))
        page(Visit(head.decode(), connection, self.closing))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: visitors hang up on purpose."""


def _listen(family: socket.AddressFamily, handle: Callable[[socket.socket], None]) -> _Server:
    kind = type("Server", (_Server,), {"address_family": family})
    server: _Server = kind(
        ("127.0.0.1" if family == socket.AF_INET else "::1", 0), lambda request, *_: handle(request)
    )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def refusal(url: str) -> UrlRefused:
    """Fetch the URL, which must be refused, and return the refusal."""
    with pytest.raises(UrlRefused) as caught:
        fetch_url(url)
    return caught.value
