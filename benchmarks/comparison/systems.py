"""Both systems started as their users start them, on a port and in a folder of their own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from benchmarks.comparison.machine import ROOT
from pneumoweb.runtime.processes import processes, site_from

START_SECONDS = 300
POLL_SECONDS = 0.02


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    happened: Callable[[], bool], what: str, *, pause: float = POLL_SECONDS, seconds: float = START_SECONDS
) -> None:
    """Ask until it has happened. Raises SystemExit after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if happened():
                return
        except OSError:  # what requests raises is one too
            pass
        time.sleep(pause)
    raise SystemExit(f"Waited in vain for {what}.")


def web_command(port: int) -> tuple[list[str], Mapping[str, str]]:
    """Return the command and the variables of our web server on this port, as ./run.sh has them."""
    site = site_from({"PORT": str(port), "CELERY_BROKER_URL": "memory://"}, ROOT)
    web = next(process for process in processes(site) if process.name == "web")
    return [sys.executable, *web.command], web.variables


class System:
    """One system under test: its process, its address, how films are sent."""

    name = ""

    def __init__(self, folder: Path) -> None:
        """Prepare it; `start` starts it."""
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.headers: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process at the top of the tree."""
        if self._process is None:
            raise SystemExit(f"{self.name} was not started.")
        return self._process.pid

    def run(self, words: list[str], variables: dict[str, str]) -> None:
        """Start the process, its output in the folder."""
        log = (self.folder / f"{self.name}.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env={**os.environ, **variables}, stdout=log, stderr=log
        )

    def stop(self) -> None:
        """Tell it to end, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)

    def post(self, path: str, film: bytes) -> Any:
        """Send one film and return what was answered. Raises `requests.HTTPError`."""
        answer = requests.post(
            f"{self.url}{path}", files={"file": ("film.jpeg", film)}, headers=self.headers, timeout=300
        )
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        """Ask for JSON. Raises `requests.HTTPError`."""
        answer = requests.get(f"{self.url}{path}", headers=self.headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def predict(self, film: bytes) -> None:
        """Send one film and wait for the answer that holds its result and picture."""
        if "gradcam" not in self.post("/predict", film):
            raise SystemExit(f"{self.name} gave no result in time.")


class Peer(System):
    """The Flask app."""

    name = "peer"

    def start(self) -> float:
        """Start it; return the seconds until it answers."""
        started = time.monotonic()
        self.run(["-m", "benchmarks.peer_flask", "--port", str(self.port)], {"TF_CPP_MIN_LOG_LEVEL": "2"})
        wait_for(lambda: bool(self.get("/health")), "the peer")
        return time.monotonic() - started

    def pause(self) -> None:
        """Stop it where it stands, so that it takes nothing from the other."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        os.kill(self.pid, signal.SIGCONT)


class Ours(System):
    """Our installation: set up as ./run.sh does, then all its processes under the supervisor."""

    name = "ours"

    def __init__(self, folder: Path, **variables: str) -> None:
        """Prepare the environment of a new installation in `folder`, with these variables of .env.example."""
        super().__init__(folder)
        self.password = secrets.token_urlsafe(12)
        self.variables = {
            "PNEUMOWEB_VAR": str(folder / "var"),
            "PNEUMOWEB_ENV_FILE": os.devnull,
            "PORT": str(self.port),
            "DJANGO_SUPERUSER_USERNAME": "admin",
            "DJANGO_SUPERUSER_PASSWORD": self.password,
            "THROTTLE_UPLOAD": "100000/min",
            "PREDICT_WAIT_SECONDS": "300",
            **variables,
        }

    def start(self) -> dict[str, float]:
        """Set up, start, sign in; return the seconds until pages answer and until the model is loaded."""
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "manage.py", "setup_site"],
            cwd=ROOT, env={**os.environ, **self.variables}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.run(["-m", "pneumoweb.runtime.supervise"], self.variables)
        wait_for(lambda: bool(self.get("/health")), "our web server")
        answers = time.monotonic() - started
        wait_for(lambda: bool(self.get("/health").get("model_loaded")), "our worker")
        loaded = time.monotonic() - started
        login = {"username": "admin", "password": self.password}
        token = requests.post(f"{self.url}/api/v1/auth/login/", json=login, timeout=30).json()["token"]
        self.headers = {"Authorization": f"Token {token}"}
        return {"web_answers": round(answers, 1), "model_loaded": round(loaded, 1)}

    def submit(self, film: bytes) -> str:
        """Send one film without waiting for its result; return its study's address."""
        return str(self.post("/api/v1/studies/", film)["links"]["self"]).removeprefix(self.url)

    def result_by_polling(self, film: bytes) -> None:
        """Send one film and ask for its study until the result is there."""
        address = self.submit(film)
        wait_for(lambda: self.get(address)["status"] in ("succeeded", "failed"), "a result")

    def precision(self) -> str:
        """Return the arithmetic of the newest film, which must have been read."""
        newest = self.get("/api/v1/studies/")["results"][0]
        return str(self.get(f"/api/v1/studies/{newest['id']}/predictions/")["results"][0]["precision"])

    def wait_until_read(self) -> None:
        """Return once nothing waits any more; asked seldom, since asking costs the web server computing."""
        wait_for(lambda: self.get("/health").get("queue_waiting") == 0, "the films to be read", pause=0.1)
