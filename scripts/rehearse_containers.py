"""Rehearses the containers without an engine: the Dockerfile's steps, then what compose starts, to a result.

    sudo .venv/bin/python scripts/rehearse_containers.py [--wheels wheels/] [--keep]

Each stage becomes a layer (overlayfs) over this machine, which replaces the base image. The containers
run read-only, as the image's user, without capabilities, in a network of their own that has no way out.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), Path("/usr/bin"))
PASSWORD = {"POSTGRES_PASSWORD": "rehearsal", "DJANGO_SUPERUSER_PASSWORD": "correct horse battery"}
WORKERS = 2
DISK_BYTES = 16 * 1024**3  # as far as it is used
PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"


def say(sentence: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {sentence}", flush=True)


def check(condition: bool, sentence: str) -> None:
    say(f"{sentence}: {'yes' if condition else 'NO'}")
    if not condition:
        raise SystemExit(1)


def run(*words: str | Path, **options: Any) -> None:
    subprocess.run([str(word) for word in words], check=True, **options)


# --- Building ---------------------------------------------------------------------------------------


@dataclass
class Stage:
    """One FROM of the Dockerfile: its layers from the top down, and what it says about running."""

    name: str
    layers: list[str]
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


class Builder:
    """Carries out the Dockerfile in a folder of its own."""

    def __init__(self, work: Path, build_env: dict[str, str]) -> None:
        self.work, self.build_env = work, build_env
        self.stages: dict[str, Stage] = {}

    def build(self) -> dict[str, Stage]:
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
        root, stage = Path(), Stage("", [])
        for line in filter(str.strip, text.splitlines()):
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                stage, root = self._begin(*re.fullmatch(r"(\S+) AS (\S+)", rest).groups())  # type: ignore[union-attr]
            else:
                getattr(self, f"_{word.lower()}")(stage, root, rest.strip())
        return self.stages

    def _begin(self, base: str, name: str) -> tuple[Stage, Path]:
        say(f"Stage {name} (from {base})")
        upper, scratch, root = (self.work / name / part for part in ("layer", "scratch", "root"))
        for folder in (upper, scratch, root):
            folder.mkdir(parents=True)
        if base in self.stages:
            like = self.stages[base]
            stage = Stage(name, [str(upper), *like.layers], dict(like.env), like.workdir, like.user)
        else:
            stage = Stage(name, [str(upper), str(self._base_image()), "/"])
        lower = ":".join(stage.layers[1:])
        run(
            "mount",
            "-t",
            "overlay",
            "overlay",
            "-o",
            f"lowerdir={lower},upperdir={upper},workdir={scratch}",
            root,
        )
        for name_of_ours in ("dev", "proc"):
            run("mount", "--rbind", f"/{name_of_ours}", root / name_of_ours)
        self.stages[name] = stage
        return stage, root

    def _base_image(self) -> Path:
        """This machine, with the image's `python`, the network's names, and Python readable by everybody."""
        layer = self.work / "base-image"
        if not layer.exists():
            python = layer / sys.base_prefix.lstrip("/") / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.symlink_to("python3")
            (layer / "etc").mkdir()
            (layer / "etc/hosts").write_text("127.0.0.1 localhost postgres redis\n", encoding="ascii")
            if Path(sys.base_prefix).is_relative_to("/root"):
                (layer / "root").chmod(0o711)
        return layer

    def _env(self, stage: Stage, root: Path, rest: str) -> None:
        for name, value in re.findall(r"(\w+)=(\S+)", rest):
            stage.env[name] = value.replace("$PATH", stage.env.get("PATH", PATH))

    def _workdir(self, stage: Stage, root: Path, rest: str) -> None:
        stage.workdir = rest
        (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, stage: Stage, root: Path, rest: str) -> None:
        words = rest.split()
        source = ROOT
        if words[0].startswith("--from="):
            source = self.work / words.pop(0).removeprefix("--from=") / "root"
        target = root / os.path.join(stage.workdir, words[-1]).lstrip("/")
        for name in words[:-1]:
            if source == ROOT and (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                run("cp", "-a", "--no-preserve=ownership", source / name.lstrip("/"), target)

    def _run(self, stage: Stage, root: Path, rest: str) -> None:
        say(f"  RUN {rest}")
        env = {
            "PATH": PATH,
            "HOME": "/root",
            **self.build_env,
            **stage.env,
        }
        script = f"cd {stage.workdir} && {rest}"
        run("chroot", root, "env", "-i", *(f"{n}={v}" for n, v in env.items()), "sh", "-ec", script)

    def _user(self, stage: Stage, root: Path, rest: str) -> None:
        stage.user = rest

    def _cmd(self, stage: Stage, root: Path, rest: str) -> None:
        stage.command = json.loads(rest)

    def _healthcheck(self, stage: Stage, root: Path, rest: str) -> None:
        stage.health = json.loads(rest.partition("CMD ")[2])

    def _expose(self, stage: Stage, root: Path, rest: str) -> None:
        """Only a remark."""

    _volume = _expose


# --- Running ----------------------------------------------------------------------------------------


class Containers:
    """Starts what docker-compose.yml names, the layers read-only."""

    def __init__(self, work: Path, stages: dict[str, Stage]) -> None:
        self.work, self.stages = work, stages
        text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        text = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: PASSWORD.get(found[1], "8000"), text)
        self.services: dict[str, Any] = yaml.safe_load(text)["services"]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.data = work / "data"

    def command(self, service: str, words: list[str] | None = None, host: str = "") -> list[str]:
        """Return the command line of a container, or of another command in a container like it."""
        told = self.services[service]
        stage = self.stages[told["build"]["target"]]
        root = self._root(host or service, stage)
        env = {**stage.env, **told["environment"], **PASSWORD, "LANG": "C.UTF-8"}
        inside = words or (told["command"].split() if "command" in told else stage.command)
        user = next(
            line
            for line in (root / "etc/passwd").read_text().splitlines()
            if line.startswith(f"{stage.user}:")
        )
        number = user.split(":")[2]
        bare = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--inh-caps=-all"]
        bare += ["--bounding-set=-all", "--no-new-privs", "env", "-i", *(f"{n}={v}" for n, v in env.items())]
        script = (
            f'hostname {host or service}; exec chroot {root} sh -c \'cd {stage.workdir} && exec "$@"\' - "$@"'
        )
        return ["unshare", "--uts", "sh", "-c", script, "-", *bare, *inside]

    def _root(self, host: str, stage: Stage) -> Path:
        root = self.work / "run" / host
        if not root.exists():
            root.mkdir(parents=True)
            run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={':'.join(stage.layers)}", root)
            if not self.data.exists():  # a new volume holds what the image has there, with its owner
                run("cp", "-a", root / "data", self.data)
            run("mount", "-t", "tmpfs", "-o", "mode=1777,size=256m", "tmpfs", root / "tmp")
            run("mount", "--bind", self.data, root / "data")
            for folder in ("dev", "proc"):
                run("mount", "--rbind", f"/{folder}", root / folder)
        return root

    def start(self, service: str, host: str = "") -> None:
        with (self.work / f"{host or service}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    self.command(service, host=host), stdout=log, stderr=log, start_new_session=True
                )
            )

    def ask(self, service: str, words: list[str], host: str = "") -> bool:
        """Return whether a command in the container succeeds."""
        done = subprocess.run(self.command(service, words, host), capture_output=True, check=False)
        return done.returncode == 0

    def health(self, service: str, host: str = "") -> bool:
        return self.ask(service, self.stages[self.services[service]["build"]["target"]].health, host)


def start_servers(work: Path) -> list[subprocess.Popen[bytes]]:
    """Start PostgreSQL and Redis where compose has them, at their usual ports of this network."""
    data = work / "postgres"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    (work / "password").write_text(PASSWORD["POSTGRES_PASSWORD"], encoding="ascii")
    words = ["--auth=scram-sha-256", "--username=pneumoweb", f"--pwfile={work / 'password'}", "-D", str(data)]
    run(*as_postgres, POSTGRES / "initdb", *words, stdout=subprocess.DEVNULL, cwd="/")
    servers = [
        [*as_postgres, str(POSTGRES / "postgres"), "-D", str(data), "-k", str(data), "-h", "127.0.0.1"],
        ["redis-server", "--port", "6379", "--save", "", "--dir", str(work)],
    ]
    return [
        subprocess.Popen(server, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for server in servers
    ]


def until(what: str, condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                say(f"{what}: yes")
                return
        except requests.RequestException:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {seconds:.0f} s in vain: {what}")
        time.sleep(1)


def rehearse(work: Path, stages: dict[str, Stage]) -> None:
    """Start everything and take one film to its result."""
    run("ip", "link", "set", "lo", "up")
    containers = Containers(work, stages)
    started = start_servers(work)
    try:
        ready = [str(POSTGRES / "pg_isready"), "-q", "-h", "127.0.0.1"]
        until("PostgreSQL answers", lambda: subprocess.run(ready, check=False).returncode == 0, 60)
        psql = [str(POSTGRES / "psql"), "-h", "127.0.0.1", "-U", "pneumoweb", "postgres", "-qc"]
        run(*psql, "CREATE DATABASE pneumoweb", env={"PGPASSWORD": PASSWORD["POSTGRES_PASSWORD"]})
        for service, told in containers.services.items():
            if "build" in told:
                user = containers.stages[told["build"]["target"]].user
                shut = told["read_only"] and told["cap_drop"] == ["ALL"] and user != "root"
                check(shut, f"{service} is read-only, without capabilities, as {user}")
        say("setup: " + containers.services["setup"]["command"])
        run(*containers.command("setup"))
        containers.start("web")
        for number in range(1, WORKERS + 1):
            containers.start("worker", f"worker-{number}")
        containers.start("beat")
        until("web's health check", lambda: containers.health("web"), 60)
        check(not containers.ask("web", ["python", "-c", "import tensorflow"]), "web has no TensorFlow")
        check(not containers.ask("web", ["touch", "/app/x"]), "web cannot change the program")
        check(containers.ask("web", ["touch", "/data/tmp/x", "/dev/shm/x"]), "web can write its data")  # noqa: S108
        one_film()
        for number in range(1, WORKERS + 1):
            host = f"worker-{number}"
            until(f"{host}'s health check", lambda host=host: containers.health("worker", host), 240)
    finally:
        for process in [*containers.processes[::-1], *started[::-1]]:
            # To PostgreSQL SIGINT says not to wait for who is connected; Redis makes no difference.
            process.send_signal(signal.SIGINT if process in started else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
            process.kill()


def one_film() -> None:
    site = "http://127.0.0.1:8000/api/v1/"
    body = {"username": "admin", "password": PASSWORD["DJANGO_SUPERUSER_PASSWORD"]}
    token = requests.post(f"{site}auth/login/", json=body, timeout=30).json()["token"]
    headers = {"Authorization": f"Token {token}"}
    film = next(iter(sorted((ROOT / "samples").rglob("*.jp*g"))))
    sent = requests.post(f"{site}studies/", files={"file": film.read_bytes()}, headers=headers, timeout=60)
    check(sent.status_code == 201, f"a film is taken in ({sent.status_code})")
    address = f"{site}studies/{sent.json()['id']}/"

    def status() -> str:
        return str(requests.get(address, headers=headers, timeout=30).json()["status"])

    until("the film has its result", lambda: status() == "succeeded", 240)
    picture = f"{address}files/overlay/"
    say(f"its overlay: {requests.get(picture, headers=headers, timeout=60).status_code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheels", type=Path, help="a folder of packages instead of the package index")
    parser.add_argument("--keep", action="store_true", help="keep the layers and logs")
    parser.add_argument("--in-namespace", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("Only root may mount layers: sudo .venv/bin/python scripts/rehearse_containers.py")
    if options.in_namespace is None:
        work = Path(tempfile.mkdtemp(prefix="pneumoweb-containers-"))
        work.chmod(0o755)
        again = [sys.executable, *sys.argv, "--in-namespace", str(work)]
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", *again], check=False)
        if not options.keep:
            shutil.rmtree(work)
        raise SystemExit(done.returncode)
    build_env = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    if options.wheels:
        build_env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(options.wheels.resolve())}
    # On a disk of their own: layers may not lie within each other, and this machine's root is the lowest.
    disk, layers = options.in_namespace / "disk", options.in_namespace / "layers"
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    run("mkfs.ext4", "-q", disk)
    layers.mkdir()
    run("mount", "-o", "loop", disk, layers)
    layers.chmod(0o755)
    stages = Builder(layers, build_env).build()
    _own_network()
    rehearse(layers, stages)
    say("The rehearsal is through.")


def _own_network() -> None:
    """Leave the machine's network for a new one without a way out (os.unshare came with Python 3.12 only)."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        raise SystemExit("This machine gives no network namespace.")


if __name__ == "__main__":
    main()
