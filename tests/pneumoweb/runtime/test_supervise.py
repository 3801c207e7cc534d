"""The supervisor with the real processes: whatever dies comes back, and one signal ends everything."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pneumoweb.runtime.processes import Site, site_from
from pneumoweb.runtime.supervise import ask_health
from tests.support.servers.stack import ROOT, Stack
from tests.support.servers.waiting import wait_until

pytestmark = pytest.mark.worker

# What the command line of each supervised process contains.
PROCESSES = {"broker": "valkey-server", "web": "gunicorn", "worker": " worker ", "clock": " beat "}


@dataclass
class Running:
    """A site started by `python -m pneumoweb.runtime.supervise`, with all the processes that came of it."""

    stack: Stack
    supervise: subprocess.Popen[bytes]
    printed_to: Path

    @property
    def site(self) -> Site:
        """The installation as the supervisor sees it."""
        return site_from(self.stack.env | {"PORT": str(self.stack.port)}, ROOT)

    @property
    def printed(self) -> str:
        """Everything told at the terminal so far."""
        return self.printed_to.read_text(encoding="utf-8")

    def processes(self) -> dict[int, str]:
        """Return the command lines, by process id, of every process that belongs to this site.

        All of them inherited its variables; Valkey writes its title over them, but names its socket there.
        """
        mark = f"PNEUMOWEB_VAR={self.stack.var}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                inherited = mark in (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # ended while we looked
            if command and (inherited or f"unixsocket:{self.stack.var}/" in command):
                found[int(folder.name)] = command
        return found

    def child(self, name: str) -> int | None:
        """Return the process id of the supervised process `name`: its group's leader."""
        for pid, command in self.processes().items():
            if PROCESSES[name] in command and _is_group_leader(pid):
                return pid
        return None


def _is_group_leader(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A data directory with a migrated database, and no model: the worker idles without TensorFlow."""
    stack = Stack(tmp_path_factory.mktemp("site") / "data of a site")
    stack.manage("migrate", "--verbosity", "0")
    return stack


@pytest.fixture
def running(prepared: Stack, tmp_path: Path) -> Iterator[Running]:
    printed_to = tmp_path / "printed"
    site = Running(prepared, start(prepared, printed_to), printed_to)
    try:
        wait_until(lambda: "Open your browser" in site.printed, seconds=90, what="the web server to answer")
        wait_until(lambda: all(map(site.child, PROCESSES)), seconds=30, what="all processes")
        yield site
    finally:
        for pid in site.processes():
            os.kill(pid, signal.SIGKILL)
        site.supervise.wait(timeout=30)


def start(stack: Stack, printed_to: Path) -> subprocess.Popen[bytes]:
    """Start the site in the foreground, as run.sh ends."""
    with printed_to.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "pneumoweb.runtime.supervise"],
            cwd=ROOT,
            env=stack.env | {"PORT": str(stack.port)},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def ends(running: Running) -> None:
    """Assert that no process of the site is left soon."""
    wait_until(lambda: not running.processes(), seconds=40, what=f"the end of {running.processes()}")


def test_whatever_is_killed_comes_back(running: Running) -> None:
    before = {name: running.child(name) for name in PROCESSES}
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def all_are_new() -> bool:
        now = {name: running.child(name) for name in PROCESSES}
        return all(now[name] not in (None, before[name]) for name in PROCESSES)

    wait_until(all_are_new, seconds=30, what=f"new processes instead of {before}")
    wait_until(
        lambda: ask_health(running.site) is not None, seconds=60, what="the web server to answer again"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_and_keeps_the_data(running: Running, number: signal.Signals) -> None:
    running.supervise.send_signal(number)
    assert running.supervise.wait(timeout=60) == 0
    assert running.processes() == {}
    assert "Stopped. The data are kept in" in running.printed
    assert "Traceback" not in running.printed
    assert (running.stack.var / "db.sqlite3").exists()


def test_kill_9_of_the_foreground_process_leaves_no_process(running: Running) -> None:
    running.supervise.kill()
    running.supervise.wait(timeout=10)
    ends(running)


def test_kill_9_of_the_supervisor_leaves_no_process_and_tells(running: Running) -> None:
    (supervisor,) = (pid for pid, line in running.processes().items() if "supervisord" in line)
    os.kill(supervisor, signal.SIGKILL)
    assert running.supervise.wait(timeout=30) == 1
    assert "The supervisor ended unexpectedly" in running.printed
    ends(running)


def test_a_second_start_on_the_same_data_is_refused(running: Running, tmp_path: Path) -> None:
    second = start(running.stack, tmp_path / "second")
    assert second.wait(timeout=60) == 1
    said = (tmp_path / "second").read_text(encoding="utf-8")
    assert f"already running on {running.stack.var} (process {running.supervise.pid})" in said
    assert "Traceback" not in said
