"""The real system in a temporary folder: broker, worker and web as the user runs them, killed at will."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from pneumoweb.runtime.broker import prepare_folders, server_command
from pneumoweb.runtime.processes import Site, processes, site_from
from tests.support.servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
ADMIN = "adam"
ADMIN_PASSWORD = "correct horse battery"


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Stack:
    """Processes over one data directory. Each is its own process group, so that a kill takes all of it."""

    var: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The web server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process: the user's PATH and this stack's own settings."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        return {
            **kept,
            "PNEUMOWEB_ENV_FILE": os.devnull,
            "PNEUMOWEB_VAR": str(self.var),
            "DJANGO_SUPERUSER_USERNAME": ADMIN,
            "DJANGO_SUPERUSER_PASSWORD": ADMIN_PASSWORD,
            "DJANGO_SUPERUSER_EMAIL": "",
            "PYTHONUNBUFFERED": "1",
            "PREDICTION_PRECISION": "float32",  # "auto" tries all at the first start: half a minute
            **self.settings,
        }

    def manage(self, *words: str) -> str:
        """Run a management command to its end and return what it printed; it must succeed."""
        done = self.try_manage(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def try_manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end, whatever becomes of it."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=300, check=False
        )

    def prepare(self) -> None:
        """Database, administrator, shipped model."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("createsuperuser", "--noinput")
        self.manage("register_model", "--shipped", "--activate")

    @property
    def site(self) -> Site:
        """The installation as the supervisor sees it."""
        return site_from(self.env | {"PORT": str(self.port)}, ROOT)

    def start_broker(self) -> None:
        """Start the broker that the settings name, the embedded one by default, and wait until it listens."""
        broker = self.site.broker
        self.var.mkdir(parents=True, exist_ok=True)
        if broker.kind == "external":
            self._start("broker", _redis_command(broker.url, self.var))
            return
        prepare_folders(broker, self.var)
        if broker.socket is not None:
            broker.socket.unlink(missing_ok=True)
            self._start("broker", server_command(self.var, broker.socket))
            wait_until(broker.socket.exists, seconds=20, what="the broker's socket")

    def empty_broker(self) -> None:
        """Forget every message of the embedded broker."""
        with redis.Redis(unix_socket_path=str(self.site.broker.socket)) as server:
            server.flushall()

    def start_worker(self) -> None:
        """Start the worker and, unless it runs, the clock, with the commands of run.sh."""
        for process in processes(self.site):
            if process.name == "worker" or (process.name == "clock" and "clock" not in self.processes):
                self._start(process.name, [sys.executable, *process.command])

    def revive(self) -> None:
        """Start worker and clock again where they ended by themselves, as the supervisor of run.sh does."""
        for process in processes(self.site):
            if process.name in ("worker", "clock") and self.processes[process.name].poll() is not None:
                self._start(process.name, [sys.executable, *process.command])

    def start_web(self) -> None:
        """Start the web server with the command of run.sh and wait until it answers."""
        (web,) = [process for process in processes(self.site) if process.name == "web"]
        self._start("web", [sys.executable, *web.command])
        wait_until(self._answers, seconds=60, what="the web server")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):  # a first answer may take long
            return False

    def _start(self, name: str, command: list[str]) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.var / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def send(self, name: str, signal_number: int) -> None:
        """Send the signal to the whole process group, which goes on living or not."""
        os.killpg(self.processes[name].pid, signal_number)

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> None:
        """Send the signal to the whole process group and wait for its leader to be gone."""
        self.send(name, signal_number)
        self.processes.pop(name).wait(timeout=60)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Read the truth from the database itself."""
        url = self.settings.get("DATABASE_URL", "")
        if url:
            with psycopg.connect(url) as server:
                return server.execute(statement.encode()).fetchall()
        with sqlite3.connect(self.var / "db.sqlite3", timeout=20) as file:
            return file.execute(statement).fetchall()

    def log(self, name: str) -> str:
        """Return everything that the process has printed."""
        return (self.var / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """Kill whatever still runs."""
        for name in list(self.processes):
            self.kill(name)


def _redis_command(url: str, var: Path) -> list[str]:
    """Return the command of Debian's Redis server at the port of `url`, as docs/operations.md sets it up."""
    binary = shutil.which("redis-server") or "/usr/bin/redis-server"
    port = url.rpartition(":")[2].partition("/")[0]
    options = ["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", ""]
    return [binary, "--bind", "127.0.0.1", "--port", port, "--dir", str(var), *options]
