"""The processes of one installation, as a configuration for supervisor: broker, web, worker, scheduler."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pneumoweb.runtime.broker import Broker, broker_for

WEB_THREADS = 16
WEB_TIMEOUT_SECONDS = 60
KEEP_ALIVE_SECONDS = 30  # with 2 s, a program that asks every few seconds meets connections just being closed
# Return freed memory to the system: sixteen threads would each keep what one film once needed.
MALLOC_OPTIONS = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1000000"}
# Workers need not know of each other, the rows say everything; saves a second at each start.
WITHOUT_PEERS = ["--without-mingle", "--without-gossip"]
CELERY = ["-m", "celery", "--app", "pneumoweb"]
WORKER = ["worker", "--loglevel", "INFO", *WITHOUT_PEERS]
# Environment variables for the number of compute threads of TensorFlow and its libraries.
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
# A worker finishes its film before it stops; supervisor kills it after this long.
STOP_SECONDS = 30
LOG_BYTES, OLD_LOGS = 10_000_000, 3


class WorkersError(ValueError):
    """A number of workers that this machine cannot run; the text tells the person which it can."""


@dataclass(frozen=True)
class Process:
    """One supervised process: its name, its command, and how it is to be started and stopped.

    `order` decides the sequence: lower starts earlier and stops later. `cores` are those it keeps to, empty:
    all; `gives_way` lowers its priority: both where the system offers it.
    """

    name: str
    command: list[str]
    order: int
    steady_after_seconds: int = 1
    variables: Mapping[str, str] = field(default_factory=dict)
    cores: tuple[int, ...] = ()
    gives_way: bool = False


@dataclass(frozen=True)
class Site:
    """Where an installation lives and listens; `name` is one of the names under which it may be asked."""

    root: Path
    var: Path
    host: str
    port: int
    broker: Broker
    name: str = "localhost"
    workers: int = 1

    @property
    def logs(self) -> Path:
        """The folder of one log per process."""
        return self.var / "logs"

    @property
    def address(self) -> str:
        """Host and port as gunicorn and URLs write them: an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def site_from(variables: Mapping[str, str], root: Path) -> Site:
    """Return the installation that the environment describes, with the defaults of .env.example.

    Raises `WorkersError` and `BrokerError` where it describes none that can run here.
    """
    var = Path(variables.get("PNEUMOWEB_VAR") or root / "var").resolve()
    return Site(
        root=root,
        var=var,
        host=variables.get("HOST") or "127.0.0.1",
        port=int(variables.get("PORT") or 8000),
        broker=broker_for(variables.get("CELERY_BROKER_URL") or "", var),
        name=_askable_name(variables.get("ALLOWED_HOSTS") or "localhost"),
        workers=_number_of_workers(variables.get("WORKERS") or "1"),
    )


def _number_of_workers(text: str) -> int:
    cores = len(_cores())
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= cores):
        raise WorkersError(
            f"WORKERS must be a number from 1 to {cores}, the cores of this machine, and it is “{text}”."
        )
    return int(text)


def _askable_name(allowed_hosts: str) -> str:
    names = [name.strip() for name in allowed_hosts.split(",")]
    plain = [name for name in names if name and not name.startswith((".", "*"))]
    return plain[0] if plain and "localhost" not in names else "localhost"


def processes(site: Site) -> list[Process]:
    """Return what has to run, in starting order; a broker only where it is the embedded server."""
    found = [
        Process(
            "web",
            ["-m", "gunicorn", *_gunicorn_options(site), "pneumoweb.wsgi"],
            20,
            variables=MALLOC_OPTIONS,
        ),
        *_workers(site),
        # A process of its own: inside a worker its death would go unnoticed. It loads last.
        Process("clock", [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="], order=40, gives_way=True),
    ]
    if site.broker.kind == "valkey":
        found.insert(0, Process("broker", ["-m", "pneumoweb.runtime.broker", str(site.var)], order=10))
    return found


def _workers(site: Site) -> list[Process]:
    """Return one worker on all cores, or several, each on cores of its own."""
    command = [*CELERY, *WORKER, "--pool", "prefork", "--concurrency", "1"]
    if site.workers == 1:
        return [Process("worker", command, order=30)]
    return [
        Process(
            "worker" if number == 1 else f"worker-{number}",
            [*command, "--hostname", f"worker{number}@%h"],
            order=30,
            variables={name: str(len(cores)) for name in THREADS},
            cores=tuple(cores),
        )
        for number, cores in enumerate(_shared_out(_cores(), site.workers), start=1)
    ]


def _cores() -> list[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS


def _shared_out(cores: list[int], shares: int) -> list[list[int]]:
    """Cut the list into so many runs of nearly the same length."""
    ends = [len(cores) * number // shares for number in range(shares + 1)]
    return [cores[start:end] for start, end in itertools.pairwise(ends)]


def _gunicorn_options(site: Site) -> list[str]:
    options = ["--bind", site.address, "--worker-class", "gthread", "--workers", "1"]
    options += ["--threads", str(WEB_THREADS), "--timeout", str(WEB_TIMEOUT_SECONDS)]
    options += ["--graceful-timeout", "10", "--no-control-socket", "--keep-alive", str(KEEP_ALIVE_SECONDS)]
    options += ["--logger-class", "pneumoweb.runtime.web_log.WebLogger"]
    # In memory, not on a disk that may be full or slow.
    return options + (["--worker-tmp-dir", "/dev/shm"] if Path("/dev/shm").is_dir() else [])  # noqa: S108


def supervisor_config(site: Site) -> str:
    """Return the text of supervisor's configuration. It holds no secrets: those stay in the environment."""
    head = {
        "nodaemon": "true",
        "silent": "true",  # the person at the terminal reads sentences, not supervisor's log
        "logfile": site.logs / "supervisor.log",
        "pidfile": site.var / "supervisor.pid",
        "childlogdir": site.logs,
        "directory": site.root,
    }
    sections = [_section("supervisord", head)]
    guard = ends_with_parent()
    for process in processes(site):
        sections.append(_section(f"program:{process.name}", _program(site, process, guard)))
    return "\n".join(sections)


def _program(site: Site, process: Process, guard: list[str]) -> dict[str, object]:
    words = [*guard, *_placed(process), sys.executable, *process.command]
    return {
        "command": " ".join(map(_quoted, words)),
        "directory": site.root,
        "environment": ",".join(f'{name}="{value}"' for name, value in process.variables.items()),
        "priority": process.order,
        "autorestart": "true",
        "startsecs": process.steady_after_seconds,
        "startretries": 1_000_000,  # never give up: each attempt waits a second longer
        "stopsignal": "TERM",
        "stopwaitsecs": STOP_SECONDS,
        "killasgroup": "true",
        "redirect_stderr": "true",
        # Doubled, because supervisor expands the names of log files twice.
        "stdout_logfile": str(site.logs / f"{process.name}.log").replace("%", "%%"),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": OLD_LOGS,
    }


def _section(name: str, values: Mapping[str, object]) -> str:
    lines = [f"[{name}]"]
    for key, value in values.items():
        text = str(value)
        lines.append(f"{key}={text if key == 'command' else text.replace('%', '%%')}")
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    """Return the word as supervisor's parser reads it back: quotes kept together, % taken literally."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _placed(process: Process) -> list[str]:
    """Return a prefix that gives the process its cores and its rank; [] for any, and where there is none."""
    taskset, nice = shutil.which("taskset"), shutil.which("nice")
    cores = [taskset, "--cpu-list", ",".join(map(str, process.cores))] if taskset and process.cores else []
    return [*cores, *([nice, "-n", "10"] if nice and process.gives_way else [])]


def ends_with_parent() -> list[str]:
    """Return a prefix that makes the kernel stop a process when its parent dies; [] where there is none."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    prefix = [setpriv, "--pdeathsig", "TERM"]
    works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if works else []
