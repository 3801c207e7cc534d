"""Runs all processes under one foreground supervisor, reports progress, and stops them together."""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import environ

from pneumoweb.runtime.broker import BrokerError, check_server, prepare_folders
from pneumoweb.runtime.processes import (
    STOP_SECONDS,
    Site,
    WorkersError,
    ends_with_parent,
    site_from,
    supervisor_config,
)

ROOT = Path(__file__).resolve().parents[2]
ASK_EVERY_SECONDS = 0.5
SAY_EVERY_SECONDS = 10
WEB_MUST_ANSWER_WITHIN_SECONDS = 180
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on


def say(sentence: str) -> None:
    """Tell the person at the terminal; a closed terminal must not stop the site."""
    try:
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
    except OSError:
        pass


class AlreadyRunningError(Exception):
    """Another start already runs on this data directory."""


def lock_data_directory(var: Path) -> IO[str]:
    """Return the open lock on `var`, held until this process ends; raises AlreadyRunningError."""
    lock = (var / "run.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise AlreadyRunningError(f"pneumoweb is already running on {var} (process {holder}).") from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def ask_health(site: Site) -> dict[str, Any] | None:
    """Return what the site's own /health says; None while the web server does not answer, or only fails.

    An answer that is not JSON, such as a redirection to HTTPS, counts as an answer: {}.
    """
    host = EVERY_ADDRESS.get(site.host, site.host)
    connection = http.client.HTTPConnection(host, site.port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"Host": site.name})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    try:
        told = json.loads(text)
    except ValueError:
        return {} if answer.status < 500 else None
    return told if isinstance(told, dict) else {}


class Announcer:
    """Tells the person how far the start is, given every half second what /health says."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._started = self._said_at = time.monotonic()
        self._web_answered = False
        self.finished = False

    def tell(self, health: dict[str, Any] | None) -> None:
        """Say what is new, or every few seconds what is still being waited for."""
        if health is not None and not self._web_answered:
            self._web_answered = True
            self._say_open()
        if self._web_answered and (health == {} or (health or {}).get("model_loaded")):
            self.finished = True
            if health:
                say(f"The model is loaded after {self._elapsed():.0f} s: films are read from now on.")
        elif time.monotonic() - self._said_at > SAY_EVERY_SECONDS:
            self._said_at = time.monotonic()
            say(f"  … waiting for {self._missing()} ({self._elapsed():.0f} s)")

    def web_is_overdue(self) -> bool:
        """True when the web server should have answered long ago."""
        return not self._web_answered and self._elapsed() > WEB_MUST_ANSWER_WITHIN_SECONDS

    def _say_open(self) -> None:
        host = EVERY_ADDRESS.get(self._site.host, self._site.host)
        url = f"http://{f'[{host}]' if ':' in host else host}:{self._site.port}/"
        say(f"\nOpen your browser at {url}   (Ctrl-C here stops everything)\n")
        say("The worker is loading the model; films uploaded meanwhile are kept and read afterwards.")

    def _missing(self) -> str:
        if self._web_answered:
            return f"the worker to load the model; its log: {self._site.logs / 'worker.log'}"
        return f"the web server; its log: {self._site.logs / 'web.log'}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._started


class Supervisor:
    """The supervisor process and the signals that end it."""

    def __init__(self, site: Site) -> None:
        self._asked_to_stop = False
        self._process: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        config = site.var / "supervisord.conf"
        config.write_text(supervisor_config(site), encoding="utf-8")
        command = [*ends_with_parent(), sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        # A session of its own: Ctrl-C reaches this process only, which passes it on once.
        self._process = subprocess.Popen(
            command, cwd=site.root, start_new_session=True, stdout=subprocess.DEVNULL
        )
        if self._asked_to_stop:
            self.stop()

    def _on_signal(self, number: int, frame: Any) -> None:
        if not self._asked_to_stop:
            say(f"\nStopping: a film that is being read is finished first (at most {STOP_SECONDS} s) …")
        self.stop()

    def stop(self) -> None:
        """Ask supervisor to stop everything; `wait` tells when it has."""
        self._asked_to_stop = True
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float | None) -> bool:
        """Return True as soon as supervisor has ended, False after `seconds` (None: however long)."""
        assert self._process is not None  # noqa: S101  # started by __init__
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def ended_as_asked(self) -> bool:
        """True when supervisor ended because this process told it to."""
        return self._asked_to_stop


def run(site: Site) -> int:
    """Run the site until it is told to stop; returns the exit code."""
    site.logs.mkdir(parents=True, exist_ok=True)
    if site.broker.kind != "external":
        prepare_folders(site.broker, site.var)
    say("Starting the broker, the web server and the worker …")
    supervisor = Supervisor(site)
    announcer = Announcer(site)
    while not supervisor.wait(None if announcer.finished else ASK_EVERY_SECONDS):
        health = ask_health(site)
        if supervisor.ended_as_asked:
            continue
        announcer.tell(health)
        if announcer.web_is_overdue():
            say(f"The web server did not start. Its log tells why: {site.logs / 'web.log'}")
            supervisor.stop()
            supervisor.wait(2 * STOP_SECONDS)
            return 1
    if not supervisor.ended_as_asked:
        say(f"The supervisor ended unexpectedly. Its log: {site.logs / 'supervisor.log'}")
        return 1
    say(f"Stopped. The data are kept in {site.var}.")
    return 0


def main() -> int:
    """Run the site that the environment and .env describe."""
    environ.Env.read_env(os.environ.get("PNEUMOWEB_ENV_FILE") or ROOT / ".env")
    try:
        site = site_from(os.environ, ROOT)
        if site.broker.kind == "valkey":
            check_server()
        with lock_data_directory(site.var):
            return run(site)
    except (AlreadyRunningError, BrokerError, WorkersError) as error:
        sys.stderr.write(f"pneumoweb cannot start: {error}\n")
    except OSError as error:
        sys.stderr.write(f"pneumoweb cannot start: {error.strerror} ({error.filename}).\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
