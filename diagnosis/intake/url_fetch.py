"""Fetches one film from a public URL; every other address is refused (SSRF)."""

import contextlib
import http.client
import ipaddress
import logging
import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import certifi
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.errors import UrlRefused

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 3
CONNECT_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PART_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": "pneumoweb",
    "Accept": "image/jpeg, image/png, application/dicom",
    "Accept-Encoding": "identity",
}

_PLAIN_SITE = re.compile(r"(\[[^\[\]@]+\]|[^\[\]@:]+)(:\d+)?")
_PLAIN_HOST = re.compile(r"[a-z0-9._:-]+")

_OFF = _(
    "Fetching films from URLs is switched off here. An administrator can switch it on by setting "
    "URL_INTAKE=true; until then, upload the film as a file."
)
_INVALID = _(
    "This is not an address that can be fetched. Use http or https on the usual port, without a user name, "
    "for example https://example.org/film.png."
)
# One message for every failure of the connection: details would reveal the internal network.
_UNREACHABLE = _(
    "No film could be fetched from this URL. It must be public and answer with the picture itself. "
    "Check it in a browser, or upload the film as a file."
)
_TOO_SLOW = _("The server at this URL is too slow. Try again later, or upload the film as a file.")
_A_PAGE = _("There is a web page at this URL, not a picture. Use the address of the picture itself.")

# Not for films, although Python's `ipaddress` (some releases of it, at least) calls these global.
_REFUSED_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared by carriers and clouds
        "168.63.129.16/32",  # Azure's own service
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address inside
        "3fff::/20",  # documentation
    )
]
# The only IPv6 that is routed in public. Mapped (::ffff:…), compatible (::a.b.c.d), site-local, unique-local
# and link-local addresses all lie outside.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
# The well-known NAT64 prefix (RFC 6052) leads to public IPv4, so the embedded address is checked.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def fetch_url(url: str) -> bytes:
    """Return the body found at `url`: at most URL_INTAKE_MAX_BYTES, within URL_INTAKE_TOTAL_SECONDS.

    Each host, also of a redirect, is resolved once; the connection goes to the address that was checked.
    Nothing from the environment (proxies, .netrc) is used.
    Raises UrlRefused: url_intake_off, url_invalid, url_unreachable, url_too_slow, url_too_large or
    url_not_a_film.
    """
    if not settings.URL_INTAKE:
        raise UrlRefused("url_intake_off", _OFF)
    site = _parse(url)
    with _Deadline(settings.URL_INTAKE_TOTAL_SECONDS) as deadline:
        try:
            return _follow(site, deadline)
        except (OSError, http.client.HTTPException) as error:
            deadline.remaining()
            raise _unreachable(type(error).__name__) from error


def is_public(address: str) -> bool:
    """Return whether a numeric IPv4 or IPv6 address may be fetched from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
        if ip not in _PUBLIC_IPV6:
            return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return not any(ip in network for network in _REFUSED_NETWORKS)


@dataclass(frozen=True)
class _Site:
    """A URL parsed once, so that what was checked is what is used. `target` is path and query."""

    url: str
    scheme: str
    host: str
    port: int
    target: str


class _Deadline:
    """A deadline for the whole fetch, at which the watched connection is closed."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()
        self._watch_instead(None)

    def remaining(self) -> float:
        """Return the seconds left; raises UrlRefused where none are."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise UrlRefused("url_too_slow", _TOO_SLOW)
        return left

    def watch(self, connection: socket.socket) -> None:
        """Close this connection, in place of the one before it, at the deadline."""
        self._watch_instead(connection.dup())  # a handle of its own, because TLS takes over the first
        self.remaining()

    def _watch_instead(self, connection: socket.socket | None) -> None:
        with self._lock:
            if self._watched is not None:
                self._watched.close()
            self._watched = connection

    def _cut(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._watched is not None:
                self._watched.shutdown(socket.SHUT_RDWR)


def _unreachable(reason: str) -> UrlRefused:
    logger.info("A film was not fetched from its URL: %s.", reason)
    return UrlRefused("url_unreachable", _UNREACHABLE)


def _parse(url: str) -> _Site:
    invalid = UrlRefused("url_invalid", _INVALID)
    url = url.strip()
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode().lower()
        port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError as error:
        raise invalid from error
    # The parser would drop control characters and accept a user name, which disguises the host.
    if re.search(r"[\x00-\x1f\x7f]", url) or not _PLAIN_SITE.fullmatch(parts.netloc):
        raise invalid
    if not _PLAIN_HOST.fullmatch(host):
        raise invalid
    if parts.scheme not in _PORTS or not (port in _PORTS.values() or _is_allowed(host, port)):
        raise invalid
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return _Site(url, parts.scheme, host, port, target)


def _is_allowed(host: str, port: int) -> bool:
    """Return whether an administrator listed `host` (for the usual ports) or `host:port` as an exception."""
    name = f"[{host}]" if ":" in host else host
    listed = {entry.lower() for entry in settings.URL_INTAKE_ALLOWED_HOSTS}
    return f"{name}:{port}" in listed or (port in _PORTS.values() and name in listed)


def _follow(site: _Site, deadline: _Deadline) -> bytes:
    for _hop in range(MAX_REDIRECTS + 1):
        with contextlib.closing(_ask(site, deadline)) as connection:
            response = connection.getresponse()
            if response.status not in _REDIRECTS:
                return _read(response, deadline)
            location = response.getheader("Location", "")
        try:
            site = _parse(urljoin(site.url, location))
        except (UrlRefused, ValueError) as refusal:
            raise _unreachable("redirected to where nothing is fetched from") from refusal
    raise _unreachable("too many redirects")


def _ask(site: _Site, deadline: _Deadline) -> http.client.HTTPConnection:
    """Send the request over our own connection; http.client resolves and opens none."""
    plain = _connect(site, deadline)
    deadline.watch(plain)
    connection: http.client.HTTPConnection
    if site.scheme == "https":
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        connection = http.client.HTTPSConnection(site.host, site.port, context=context)
        connection.sock = context.wrap_socket(plain, server_hostname=site.host)
    else:
        connection = http.client.HTTPConnection(site.host, site.port)
        connection.sock = plain
    connection.auto_open = 0
    connection.sock.settimeout(deadline.remaining())
    connection.request("GET", site.target, headers=_HEADERS)
    return connection


def _connect(site: _Site, deadline: _Deadline) -> socket.socket:
    """Connect to the first address that answers, after all of them were checked."""
    answers = _resolve(site, deadline)
    if not _is_allowed(site.host, site.port) and not all(is_public(str(where[0])) for _, where in answers):
        raise _unreachable("an address that is not public")
    give_up = time.monotonic() + min(CONNECT_SECONDS, deadline.remaining())
    for family, where in answers:
        if time.monotonic() >= give_up:
            break
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(0.01, give_up - time.monotonic()))
            connection.connect(where)
        except OSError:
            connection.close()
            continue
        return connection
    raise _unreachable("no answer")


def _resolve(site: _Site, deadline: _Deadline) -> list[tuple[int, Any]]:
    """Return (family, socket address) of every answer, in a thread since the resolver has no timeout."""
    answers: queue.SimpleQueue[list[tuple[int, Any]]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put([(family, where) for family, _, _, _, where in found])

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=deadline.remaining())
    except queue.Empty:
        deadline.remaining()
        return []


def _read(response: http.client.HTTPResponse, deadline: _Deadline) -> bytes:
    if response.status != http.client.OK:
        raise _unreachable(f"status {response.status}")
    if "html" in response.getheader("Content-Type", "").lower():
        raise UrlRefused("url_not_a_film", _A_PAGE)
    if response.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        # Not requested: films gain nothing from it, and a decompression bomb is avoided.
        raise _unreachable("a compressed answer")
    limit = settings.URL_INTAKE_MAX_BYTES
    body = bytearray()
    while part := response.read1(_PART_BYTES):
        body += part
        if len(body) > limit:
            message = _("The film at this URL is larger than %(limit)d MB. Upload it as a file.")
            raise UrlRefused("url_too_large", message % {"limit": limit // (1024 * 1024)})
        deadline.remaining()
    deadline.remaining()  # a closed connection looks like the end of the body
    if response.length:
        raise _unreachable("the answer ended early")
    return bytes(body)
