"""The database is locked or restarted under load: confirmed films are analysed, errors end with it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from tests.reliability.conftest import LIGHT, StartStack
from tests.reliability.helpers.uploader import Uploader
from tests.support.servers.postgres import RestartableServer
from tests.support.servers.waiting import wait_until

pytestmark = pytest.mark.worker
GRACE_SECONDS = 5
PATIENCE_SECONDS = 20  # how long a statement waits for the file database


@dataclass
class Load:
    """Uploads one film after the other until stopped; records when each was sent and answered."""

    uploader: Uploader
    answers: list[tuple[float, float, int]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Upload while the block runs."""
        stopped = Event()

        def upload() -> None:
            while not stopped.is_set():
                sent = time.monotonic()
                status, _ = self.uploader.try_upload()
                self.answers.append((sent, time.monotonic(), status))

        thread = Thread(target=upload)
        thread.start()
        try:
            yield self
        finally:
            stopped.set()
            thread.join(timeout=90)

    @property
    def confirmed(self) -> int:
        """Number of films confirmed as stored."""
        return sum(status == 201 for *_, status in self.answers)

    def errors_outside(self, failures: list[tuple[float, float]]) -> list[tuple[float, float, int]]:
        """Return the answers other than 201 outside of a failure and the seconds after it."""

        def excused(sent: float, answered: float) -> bool:
            return any(begun <= answered and sent <= ended + GRACE_SECONDS for begun, ended in failures)

        return [answer for answer in self.answers if answer[2] != 201 and not excused(*answer[:2])]


def assert_none_is_lost(load: Load, known: int) -> None:
    uploader = load.uploader
    uploader.wait_until_all_are_through(seconds=180)
    assert set(uploader.statuses()[known:]) == {"succeeded"}
    # An answer may be lost with the connection although the film is stored, but never the reverse.
    assert len(uploader.statuses()) - known >= load.confirmed
    assert set(uploader.results()[known:]) == {1}


@pytest.mark.parametrize("seconds", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_while_the_file_database_is_locked_uploads_wait_and_none_is_lost(
    light: Uploader, record_property: Callable[..., None], seconds: float
) -> None:
    known = len(light.statuses())
    load = Load(light)
    other = sqlite3.connect(light.stack.var / "db.sqlite3", timeout=20, isolation_level=None)
    with load.running():
        wait_until(lambda: load.confirmed >= 2, seconds=60, what="two films")
        other.execute("BEGIN IMMEDIATE")
        begun, confirmed = time.monotonic(), load.confirmed
        # The lock is held for a fixed time, which is what is tested.
        Event().wait(seconds)
        assert load.confirmed <= confirmed + 1
        other.execute("ROLLBACK")
        ended = time.monotonic()
        wait_until(lambda: load.confirmed >= confirmed + 3, seconds=60, what="uploads after the lock")
    other.close()
    record_property("answers", [status for *_, status in load.answers])
    if seconds < PATIENCE_SECONDS:
        assert {status for *_, status in load.answers} == {201}
    assert load.errors_outside([(begun, ended)]) == []
    assert_none_is_lost(load, known)


@pytest.mark.nightly
def test_postgresql_restarted_three_times_under_load_loses_nothing_that_was_confirmed(
    start_stack: StartStack, restartable_postgres: RestartableServer, record_property: Callable[..., None]
) -> None:
    uploader = start_stack("valkey", DATABASE_URL=restartable_postgres.url, **LIGHT)
    uploader.stack.start_worker()
    uploader.upload()
    uploader.wait_until_all_are_through(seconds=120)
    load, outages = Load(uploader), []
    with load.running():
        for _ in range(3):
            confirmed = load.confirmed
            wait_until(lambda: load.confirmed >= confirmed + 5, seconds=60, what="some films")  # noqa: B023
            begun = time.monotonic()
            restartable_postgres.restart()
            outages.append((begun, time.monotonic()))
    record_property("confirmed", load.confirmed)
    record_property("refused", sum(status != 201 for *_, status in load.answers))
    assert load.errors_outside(outages) == []
    assert_none_is_lost(load, known=1)
