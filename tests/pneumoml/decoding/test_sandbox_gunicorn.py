"""Decoding in a sandboxed child from a real threaded web server."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pneumoml.decoding.test_sandbox import ROOT, eventually, gone
from tests.support.inputs import films

APP = """
import os
from pneumoml.decoding import sandbox

sandbox.warm_up()

def app(environ, start_response):
    data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    film = sandbox.decode_isolated(data)
    body = f"{os.getpid()} {sandbox._server.process.pid} {film.width}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def listens(path: Path) -> bool:
    """Return whether a server accepts connections; the socket's file appears earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def posted(path: Path, data: bytes) -> list[int]:
    connection = _UnixConnection(path)
    try:
        connection.request("POST", "/", data)
        response = connection.getresponse()
        assert response.status == 200
        return [int(word) for word in response.read().split()]
    finally:
        connection.close()


@pytest.mark.parametrize("options", [[], ["--preload"]])
def test_threaded_gunicorn_workers_decode_and_leave_nothing(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "tiny_app.py").write_text(APP)
    address, data = tmp_path / "s", films.png()
    arguments = [
        "-w",
        "2",
        "-k",
        "gthread",
        "--threads",
        "4",
        "-b",
        f"unix:{address}",
        *options,
        "tiny_app:app",
    ]
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--chdir", str(tmp_path), "--pythonpath", str(ROOT), *arguments],
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: listens(address), seconds=30)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: posted(address, data), range(60)))
    finally:
        web.terminate()
        web.wait(30)
    assert {width for _, _, width in answers} == {360}
    owners = {(worker, server) for worker, server, _ in answers}
    assert len(owners) == len({worker for worker, _ in owners}) == len({server for _, server in owners})
    assert eventually(lambda: all(gone(pid) for owner in owners for pid in owner))
