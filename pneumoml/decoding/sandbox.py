"""Decodes an untrusted film in a child process with limits on memory, CPU and time.

A decoder that crashes, hangs or exhausts memory ends only its own child. Children are forked by a small
server process (`sandbox_server`), one for each process that decodes; it starts at first use and ends with its
owner. The server is a fresh interpreter, so it holds no database connection, no secret and no
TensorFlow; and it is single-threaded, so that it can fork safely, as a threaded web server cannot.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumoml.decoding.dicom.serialization import record_from
from pneumoml.decoding.images import Film, ImageLimits, ImageRefused, check_film
from pneumoml.decoding.sandbox_server import ENDED, MEMORY_STATUS, OVERDUE_STATUS, READY, REPLY, request_bytes

__all__ = ["DecoderUnavailable", "SandboxLimits", "decode_isolated", "shut_down", "warm_up"]

logger = logging.getLogger(__name__)

DECODERS_AT_ONCE = 4
_GRACE_SECONDS = 2.0
_START_SECONDS = 60.0
_START = "import sys; sys.path.append(sys.argv[1]); from pneumoml.decoding.sandbox_server import main; main()"
_ROOT = str(Path(__file__).resolve().parents[2])
# One thread: the server must fork safely, and BLAS pools would use up the address space.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
_MAX_FACTS = 64 * 1024
_MAX_PARAM = 100
_TIMEOUTS = {OVERDUE_STATUS, -signal.SIGXCPU}


class DecoderUnavailable(RuntimeError):  # noqa: N818 - the name says what the caller can tell people
    """The decoder cannot be used now (decoder_busy, decoder_unavailable); the film is not at fault."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class SandboxLimits:
    """Limits of one decoding: bytes of address space, CPU seconds, wall-clock seconds."""

    memory_bytes: int = 1536 * 1024 * 1024
    cpu_seconds: int = 10
    wall_seconds: float = 15.0


class _Server:
    """The decoder's server process and the socket that feeds it."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(_START_SECONDS)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, _ROOT],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Wait here, so that a slow start does not count towards a film's time limit. Raises `OSError`."""
        try:
            if self.control.recv(len(READY)) != READY:
                raise ConnectionError("the film decoder's server did not start")
        except OSError:
            self.stop()
            raise
        self.control.settimeout(_GRACE_SECONDS)

    def send(self, request: bytes, connection: socket.socket) -> None:
        socket.send_fds(self.control, [request], [connection.fileno()])

    def stop(self) -> None:
        self.control.close()
        try:
            self.process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self) -> None:
        """In a forked process: drop the parent's server without stopping it."""
        self.control.close()
        self.process.returncode = 0


_lock = threading.Lock()
_slots = threading.BoundedSemaphore(DECODERS_AT_ONCE)
_server: _Server | None = None


def decode_isolated(
    data: bytes, *, limits: ImageLimits | None = None, sandbox_limits: SandboxLimits | None = None
) -> Film:
    """Decode a JPEG, PNG or DICOM file as `images.decode_film` does, in a child of its own.

    Safe to call from many threads; at most `DECODERS_AT_ONCE` films are decoded at a time in one process.
    Raises `ImageRefused` with the codes of `decode_film`, and decoder_timeout, decoder_memory or
    decoder_crashed where the child ended without a reply; `DecoderUnavailable` where the decoder cannot be
    started or is busy.
    """
    limits, sandbox_limits = limits or ImageLimits(), sandbox_limits or SandboxLimits()
    check_film(data, limits)
    if not _slots.acquire(timeout=sandbox_limits.wall_seconds):
        raise DecoderUnavailable("decoder_busy", "Too many films are being read. Try again in a moment.")
    try:
        for _ in range(2):  # retried where the server itself was lost, which is not the film's fault
            film = _decode_once(data, limits, sandbox_limits)
            if film is not None:
                return film
    finally:
        _slots.release()
    raise _unavailable()


def _unavailable() -> DecoderUnavailable:
    return DecoderUnavailable("decoder_unavailable", "Films cannot be read at the moment. Try again later.")


def warm_up() -> None:
    """Start the server, so that the first film does not wait for it. Raises `DecoderUnavailable`."""
    try:
        with _lock:
            _running_server()
    except OSError as error:
        raise _unavailable() from error


def shut_down() -> None:
    """Stop the server of this process; the next film starts a new one."""
    global _server  # noqa: PLW0603 - one server per process
    with _lock:
        if _server is not None:
            _server.stop()
            _server = None


def _running_server() -> _Server:
    """Return the live server, started if need be; call with the lock held."""
    global _server  # noqa: PLW0603 - one server per process
    if _server is not None and _server.process.poll() is not None:
        logger.warning(
            "The film decoder's server ended with %s; starting another.", _server.process.returncode
        )
        _server.stop()
        _server = None
    if _server is None:
        _server = _Server()
    return _server


def _discard(lost: _Server | None) -> None:
    """Stop a lost server that `poll` did not report yet, unless another thread has replaced it."""
    global _server  # noqa: PLW0603 - one server per process
    with _lock:
        if _server is not None and _server is lost:
            _server.stop()
            _server = None


def _after_fork() -> None:
    global _lock, _slots, _server  # noqa: PLW0603 - locks may be held by threads that do not exist here
    _lock, _slots = threading.Lock(), threading.BoundedSemaphore(DECODERS_AT_ONCE)
    if _server is not None:
        _server.forget()
        _server = None


os.register_at_fork(after_in_child=_after_fork)
atexit.register(shut_down)


def _decode_once(data: bytes, limits: ImageLimits, sandbox_limits: SandboxLimits) -> Film | None:
    """Send one film to a new child and wait for its reply; None where the server was lost on the way."""
    request = request_bytes(
        limits,
        memory_bytes=sandbox_limits.memory_bytes,
        cpu_seconds=sandbox_limits.cpu_seconds,
        wall_seconds=sandbox_limits.wall_seconds,
    )
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            server = None
            try:
                with _lock:
                    server = _running_server()
                    server.send(request, theirs)
            except OSError:
                _discard(server)
                return None
        channel = _Channel(ours, time.monotonic() + sandbox_limits.wall_seconds + _GRACE_SECONDS)
        try:
            channel.write(data)
            film = _reply(channel, limits)
        except TimeoutError as error:
            raise _child_failed(OVERDUE_STATUS) from error
    if film is None:
        _discard(server)
    return film


class _Channel:
    """A socket with one deadline for all its operations."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def _set_timeout(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._connection.settimeout(remaining)

    def write(self, data: bytes) -> None:
        """Write everything and close this direction; a lost reader shows when reading."""
        self._set_timeout()
        with contextlib.suppress(ConnectionError):
            self._connection.sendall(data)
            self._connection.shutdown(socket.SHUT_WR)

    def read(self, count: int) -> bytearray:
        """Read `count` bytes, fewer only where the other end was closed."""
        buffer = bytearray(count)
        view, filled = memoryview(buffer), 0
        while filled < count:
            self._set_timeout()
            try:
                received = self._connection.recv_into(view[filled:])
            except ConnectionError:
                break
            if received == 0:
                break
            filled += received
        view.release()
        del buffer[filled:]
        return buffer


def _reply(channel: _Channel, limits: ImageLimits) -> Film | None:
    kind = channel.read(1)
    if kind == ENDED:
        raise _child_failed(struct.unpack(">i", channel.read(4).rjust(4, b"\xff"))[0])
    if kind != REPLY:
        return None
    (length,) = struct.unpack(">I", channel.read(4).rjust(4, b"\xff"))
    head = channel.read(length) if length <= _MAX_FACTS else b""
    try:
        facts = json.loads(head)
        refused = facts.get("refused")
        if refused is None:
            return _film(facts, channel, limits)
        refusal = _refusal(**refused)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _child_failed(1) from error
    raise refusal


def _refusal(code: str, template: str, params: dict[str, str | int]) -> ImageRefused:
    """Build the refusal from a reply whose template may only insert short parameters by name."""
    if not all(name.isidentifier() and len(str(value)) <= _MAX_PARAM for name, value in params.items()):
        raise ValueError("params")
    if template.count("%") != sum(template.count(f"%({name})s") for name in params):
        raise ValueError("template")
    return ImageRefused(str(code), template, params)


def _film(facts: dict[str, Any], channel: _Channel, limits: ImageLimits) -> Film:
    """Build the film from an untrusted reply, whose values are checked."""
    width, height = int(facts["width"]), int(facts["height"])
    if not (0 < width <= limits.max_side and 0 < height <= limits.max_side):
        raise ValueError("size")
    if width * height > limits.max_pixels:
        raise ValueError("size")
    pixels = np.frombuffer(channel.read(width * height), np.uint8).reshape(height, width)
    window, dicom = facts["window"], facts["dicom"]
    values = b"" if dicom is None else channel.read(2 * width * height)
    return Film(
        pixels=pixels,
        width=width,
        height=height,
        format=str(facts["format"])[:8],
        mode=str(facts["mode"])[:16],
        bit_depth=int(facts["bit_depth"]),
        colour_fraction=float(facts["colour_fraction"]),
        orientation=int(facts["orientation"]),
        window=None if window is None else (int(window[0]), int(window[1])),
        dicom=None if dicom is None else record_from(dicom, values, (height, width)),
    )


def _child_failed(exit_code: int) -> ImageRefused:
    """Return the refusal for how the child ended (exit code, or minus the signal)."""
    logger.warning("The film decoder's child ended with %s.", exit_code)
    if exit_code in _TIMEOUTS:
        return ImageRefused("decoder_timeout", "Reading the picture took too long. Export the film smaller.")
    if exit_code == MEMORY_STATUS:
        return ImageRefused("decoder_memory", "The picture needs too much memory. Export the film smaller.")
    return ImageRefused(
        "decoder_crashed", "The picture made the decoder fail. Export or copy the film again."
    )
