"""A web server without broker and worker, and films whose states the tests choose."""

import json

from tests.support.servers.stack import Stack


class WebServer(Stack):
    """One data directory with the cast of tests/support/cast.py; `films` holds uids, read and unread."""

    films: dict[str, list[str]]

    def fill(self) -> None:
        """Make database, static files, people and films."""
        self.var.mkdir()
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.films = json.loads(self.run("make(read=3, unread=3)").splitlines()[-1])

    def run(self, call: str, *, module: str = "study_films") -> str:
        """Call a function of study_films, or of another module beside it, in the server's own database."""
        return self.manage("shell", "-c", f"from tests.e2e.helpers import {module}; {module}.{call}")

    def finish(self, address: str) -> None:
        """Let the result of a film arrive."""
        self.run(f"finish({address.split('/')[2]!r})")

    def unread(self) -> str:
        """Take the address of a film without a result; each is used once."""
        return f"/studies/{self.films['unread'].pop()}/"
