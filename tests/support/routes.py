"""Every address that the site answers, read from Django's own resolver."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One address: its name with namespace ("" when it has none), and its pattern, as studies/<uuid:uid>/."""

    name: str
    pattern: str


def all_routes() -> list[Route]:
    """Return every route in the order in which they are tried."""
    return list(_below(get_resolver(), "", ""))


def _below(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = ":".join(filter(None, [namespace, entry.namespace]))
            yield from _below(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield Route(":".join(filter(None, [namespace, entry.name])), pattern)
