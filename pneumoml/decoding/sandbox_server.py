"""The sandbox's server process, which forks one limited child for every film.

Started by `sandbox` with an empty environment and no files but its control socket. Each request on that
socket carries the limits and one end of a socket pair; the forked child reads the film from it, decodes it
and writes the reply. When a child ends, the server appends its exit status. The server ends when its socket
closes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import resource
import select
import signal
import socket
import struct
import time
import warnings
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any, NoReturn

from pneumoml.decoding.dicom.serialization import record_facts, record_values
from pneumoml.decoding.images import Film, ImageLimits, ImageRefused, decode_film

READY = b"ready"
REPLY, ENDED = b"R", b"E"
MEMORY_STATUS, OVERDUE_STATUS = 77, 78
REQUEST_BYTES = 4096
_READ_BYTES = 1 << 20


@dataclass
class _Running:
    """A running child: the connection for its reply, and its deadline (monotonic clock)."""

    connection: socket.socket
    deadline: float
    overdue: bool = False


def main() -> None:
    """Serve on the control socket, which is standard input, until the other end is closed."""
    _preload()
    serve(socket.socket(fileno=0))


def _preload() -> None:
    """Import what Pillow and pydicom import at first use, because the children may open no file.

    Not at the top, because `sandbox` imports this module into the web process, which needs none of it.
    """
    from PIL import Image, MpoImagePlugin, TiffImagePlugin  # noqa: F401

    from pneumoml.decoding.dicom import decode  # noqa: F401

    Image.preinit()


def serve(control: socket.socket) -> None:
    """Fork a child for every request, kill overdue ones, reap finished ones; return when `control` closes."""
    woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _wake)
    signal.set_wakeup_fd(waker)
    gc.freeze()
    running: dict[int, _Running] = {}
    control.send(READY)
    while True:
        ready = select.select([control.fileno(), woken], [], [], _kill_overdue(running))[0]
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if control.fileno() in ready:
            request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, 1)
            if not request or not descriptors:
                break
            limits, connection = json.loads(request), socket.socket(fileno=descriptors[0])
            child = os.fork()
            if child == 0:
                for other in (control, *(one.connection for one in running.values())):
                    other.close()
                _run_child(connection, limits)
            running[child] = _Running(connection, time.monotonic() + limits["wall_seconds"])
    for child in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _wake(number: int, frame: FrameType | None) -> None:
    """Do nothing: the wake-up pipe does the work, but a handler keeps SIGCHLD from being ignored."""


def _kill_overdue(running: dict[int, _Running]) -> float | None:
    """Kill overdue children; return the seconds until the next deadline (None: no child runs)."""
    now = time.monotonic()
    for child, one in running.items():
        if one.deadline <= now and not one.overdue:
            one.overdue = True
            os.kill(child, signal.SIGKILL)
    waiting = [one.deadline - now for one in running.values() if not one.overdue]
    return min(waiting, default=None)


def _reap(running: dict[int, _Running]) -> None:
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        one = running.pop(child)
        ended = OVERDUE_STATUS if one.overdue else os.waitstatus_to_exitcode(status)
        with one.connection as connection, contextlib.suppress(OSError):
            # Never block: a full buffer means that the child's own reply is in it.
            connection.setblocking(False)
            connection.send(ENDED + struct.pack(">i", ended))


def _run_child(connection: socket.socket, request: dict[str, Any]) -> NoReturn:
    try:
        _apply_limits(request)
        os.set_blocking(connection.fileno(), True)
        connection.sendall(_answer(_read_all(connection), ImageLimits(**request["limits"])))
        os._exit(0)
    except MemoryError:
        os._exit(MEMORY_STATUS)
    except BaseException:  # a forked child must not return into the server's loop
        os._exit(1)


def _apply_limits(request: dict[str, Any]) -> None:
    """Limit this process: address space, CPU seconds, no files, no core. The server enforces wall time."""
    signal.set_wakeup_fd(-1)
    # Decoders may print parts of the file, and no patient's name may reach a log.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.disable()
    cpu = request["cpu_seconds"]
    for kind, limits in (
        (resource.RLIMIT_CORE, (0, 0)),
        (resource.RLIMIT_FSIZE, (0, 0)),
        (resource.RLIMIT_NOFILE, (0, 0)),
        (resource.RLIMIT_CPU, (cpu, cpu + 1)),
        (resource.RLIMIT_AS, (request["memory_bytes"], request["memory_bytes"])),
    ):
        resource.setrlimit(kind, limits)
    warnings.simplefilter("ignore")


def _read_all(connection: socket.socket) -> bytes:
    parts = bytearray()
    while part := connection.recv(_READ_BYTES):
        parts += part
    return bytes(parts)


def _answer(data: bytes, limits: ImageLimits) -> bytes:
    """Return the reply: b"R", length of the facts, the facts as JSON, then raw pixels (none for a refusal).

    A DICOM film's stored values (uint16, little endian) follow its pixels.
    """
    pixels = b""
    try:
        film = decode_film(data, limits=limits)
        facts, pixels = _facts(film), film.pixels.tobytes() + record_values(film.dicom)
    except ImageRefused as refused:
        parts = {"code": refused.code, "template": refused.template, "params": refused.params}
        facts = {"refused": parts}
    head = json.dumps(facts).encode()
    return REPLY + struct.pack(">I", len(head)) + head + pixels


def _facts(film: Film) -> dict[str, Any]:
    facts = {key: value for key, value in vars(film).items() if key != "pixels"}
    return {**facts, "dicom": record_facts(film.dicom)}


def request_bytes(limits: ImageLimits, *, memory_bytes: int, cpu_seconds: int, wall_seconds: float) -> bytes:
    """Return one request for the control socket."""
    sandbox = {"memory_bytes": memory_bytes, "cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds}
    return json.dumps({"limits": asdict(limits), **sandbox}).encode()


if __name__ == "__main__":
    main()
