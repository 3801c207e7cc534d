"""Fixtures of the tests about films: the made-up internet."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hostile_urls import NAMES
from tests.support.servers.internet import PUBLIC_4, Internet


@pytest.fixture(scope="module")
def servers() -> Iterator[Internet]:
    """The web servers and canaries, listening on loopback."""
    made = Internet()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def internet(servers: Internet, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Internet:
    """URL intake switched on, in an internet where nothing but films.example and some private names exist."""
    settings.URL_INTAKE = True
    settings.URL_INTAKE_ALLOWED_HOSTS = []
    servers.forget()
    servers.names |= {name: list(answers) for name, answers in NAMES.items()}
    servers.names["films.example"] = [[PUBLIC_4]]
    servers.replace_the_real_one(monkeypatch)
    return servers
