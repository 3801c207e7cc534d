"""Before anything is installed: the checks and the pinned install that run.sh and test.sh begin with.

Standard library only, and run as a file (`python3 -I pneumoweb/runtime/bootstrap.py run`), because the
virtual environment does not exist yet.
"""

import argparse
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WHEELS = ROOT / "wheels"  # scripts/fetch_wheels.sh fills it, for machines without the Internet
INSTALL_GB = {"requirements.txt": 4.0, "requirements-dev.txt": 5.0}
START_MB = 200
SAY_EVERY_SECONDS = 10


class SetupError(Exception):
    """The start is not possible; the text says why and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


# --- What the environment asks for ------------------------------------------------------------------


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a .env file, read as settings.py reads it; {} when there is no file."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"\A(?:export )?([A-Za-z_0-9]+)=(.*)\Z", line)
        if match:
            name, value = match.groups()
            found[name] = value[1:-1] if re.match(r"\A(['\"]).*\1\Z", value) and len(value) > 1 else value
    return found


def environment() -> dict[str, str]:
    """Return the process's variables over those of the .env file."""
    return read_dotenv(Path(os.environ.get("PNEUMOWEB_ENV_FILE") or ROOT / ".env")) | dict(os.environ)


def port_number(text: str) -> int:
    """Return `text` as a TCP port, 1–65535; raises SetupError (`bad_port`)."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 65535:
        raise SetupError("bad_port", f"PORT must be a number from 1 to 65535, and it is “{text}”.")
    return int(text)


# --- Checks -----------------------------------------------------------------------------------------


def check_folder(folder: Path, purpose: str) -> None:
    """Create `folder` when it is not there and write a file in it; raises SetupError (`not_writable`)."""
    probe = folder / f".write-test-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise SetupError(
            "not_writable",
            f"Cannot write in {folder}, where {purpose} ({error.strerror}). "
            "Give this user the right to write there, or set PNEUMOWEB_VAR to another folder.",
        ) from error


def check_space(folder: Path, megabytes: float, purpose: str) -> None:
    """Raise SetupError (`disk_full`) unless `folder`'s disk has `megabytes` free."""
    free = shutil.disk_usage(folder).free / 1e6
    if free < megabytes:
        raise SetupError(
            "disk_full",
            f"The disk is too full: {purpose} needs {megabytes:,.0f} MB on the disk of {folder}, "
            f"and {free:,.0f} MB are free. Make room and start again.",
        )


def check_model(models: Path) -> None:
    """Raise SetupError (`no_model`) unless a trained model lies in `models`/<version>/."""
    for card in models.glob("*/card.json"):
        if any(path.name != "card.json" for path in card.parent.iterdir()):
            return
    raise SetupError(
        "no_model",
        f"No trained model is in {models}: each version is a folder with card.json and its weights. "
        "Get the whole project again (git clone), or set MODELS_DIR to the folder that holds your models.",
    )


def check_port(host: str, port: int) -> None:
    """Raise SetupError (`bad_host`, `port_busy`, `port_forbidden`) unless the web server can listen there."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SetupError("bad_host", f"HOST is “{host}”, which is not an address of this machine.") from error
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except PermissionError as error:
            raise SetupError(
                "port_forbidden",
                f"This user may not listen on port {port}. Choose another: PORT=8000 ./run.sh",
            ) from error
        except OSError as error:
            raise SetupError(
                "port_busy",
                f"Port {port} on {host} cannot be used ({error.strerror}). Perhaps pneumoweb is already "
                f"running; otherwise choose another: PORT={min(port + 1, 65535)} ./run.sh",
            ) from error


# --- The virtual environment ------------------------------------------------------------------------


def ensure_venv() -> None:
    """Create .venv/, or create it afresh when it is half made, half installed or from another Python."""
    if VENV.exists() and _venv_is_sound():
        return
    if VENV.exists():
        say("The virtual environment in .venv/ is incomplete: making it afresh …")
        shutil.rmtree(VENV)
    _ensure_venv_module()
    say("Making the virtual environment in .venv/ …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SetupError("no_venv", f"The virtual environment could not be made: {_last_line(made.stdout)}")


def _venv_is_sound() -> bool:
    """True when the last install was completed and the environment's Python still finds its packages."""
    if _unfinished().exists():
        return False
    test = "import sys; print('python%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([str(PYTHON), "-I", "-c", test], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return (VENV / "lib" / (asked.stdout.strip() or "none") / "site-packages" / "pip").is_dir()


def _ensure_venv_module() -> None:
    if _has_venv_module():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install(["python3-venv"])
    if not _has_venv_module():
        raise SetupError(
            "no_venv_module",
            "This Python cannot make virtual environments. On Debian and Ubuntu: "
            "sudo apt-get install python3-venv — then start again.",
        )


def _has_venv_module() -> bool:
    test = [sys.executable, "-I", "-c", "import venv, ensurepip"]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


def apt_install(packages: list[str]) -> None:
    """Install Debian packages, saying so; raises SetupError (`apt_failed`). Needs root."""
    say(f"Installing {', '.join(packages)} with apt-get (needed, and not on this machine) …")
    apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *arguments], env=apt, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(
            "apt_failed",
            f"apt-get could not install {' '.join(packages)}: {_last_line(done.stderr)} "
            f"Install by hand (apt-get install {' '.join(packages)}) and start again.",
        )


# --- The pinned install -----------------------------------------------------------------------------


def _unfinished() -> Path:
    return VENV / ".install-unfinished"


def _stamp(requirements: Path) -> Path:
    return VENV / f".{requirements.name}.sha256"


def _checksum(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


def is_installed(requirements: Path) -> bool:
    """True when .venv/ holds exactly what `requirements` pins, by the checksum noted at the last install."""
    stamp = _stamp(requirements)
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _checksum(requirements)


def ensure_installed(requirements: Path) -> None:
    """Install what `requirements` pins, checked against its hashes, unless that was done before.

    An install that is cut short leaves a mark, and the next start begins afresh: a half-unpacked package
    can look complete to pip. Raises SetupError (`disk_full`, `install_failed`).
    """
    if is_installed(requirements):
        return
    gigabytes = INSTALL_GB[requirements.name]
    check_space(VENV, gigabytes * 1000, "the installation")
    say(f"Installing the pinned packages into .venv/ (up to {gigabytes:g} GB; some minutes the first time) …")
    _unfinished().touch()
    started = time.monotonic()
    _pip_install(requirements)
    _compile_packages()
    _stamp(requirements).write_text(_checksum(requirements), encoding="ascii")
    _unfinished().unlink()
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def _pip_install(requirements: Path) -> None:
    scratch = VENV / "tmp"  # not /tmp, which is often small
    scratch.mkdir(exist_ok=True)
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    # The list is complete. Without --no-deps pip asks the index again for every requirement with an
    # extra (coverage[toml]) and stops as soon as a newer release than the pinned one is out.
    command += ["--progress-bar", "off", "--no-compile", "--no-deps", "--require-hashes"]
    command += ["-r", str(requirements)]
    if WHEELS.is_dir():
        say("They are taken from wheels/, and from nowhere else.")
        command += ["--no-index", "--find-links", str(WHEELS)]
    variables = {**os.environ, "TMPDIR": str(scratch), "PIP_USER": "0"}
    log = VENV / "install.log"
    with log.open("wb") as out, subprocess.Popen(command, env=variables, stdout=out, stderr=out) as pip:
        _wait_for(pip, log)
    shutil.rmtree(scratch, ignore_errors=True)
    if pip.returncode != 0:
        check_space(VENV, 300, "the installation")
        raise SetupError(
            "install_failed",
            f"The packages could not be installed: {_last_line(_text_of(log))} "
            f"Is the package index reachable, or wheels/ complete? pip's whole answer is in {log}.",
        )


def _compile_packages() -> None:
    """Compile the packages to bytecode on all cores: TensorFlow then loads in half the time.

    Not left to the first import: who starts the site may be barred from writing here, or told Python not to.
    """
    say("  … compiling them")
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", "-x", "site-packages/.*/tests?/"]
    # Packages bring a few files for other Pythons, which do not compile and are never imported.
    subprocess.run([*command, str(VENV / "lib")], check=False, stdout=subprocess.DEVNULL)


def _wait_for(pip: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for pip and say every few seconds what it is busy with; end it when this process is stopped."""
    started = time.monotonic()
    try:
        while True:
            try:
                pip.wait(timeout=SAY_EVERY_SECONDS)
                return
            except subprocess.TimeoutExpired:
                say(f"  … {_busy_with(_text_of(log))} ({time.monotonic() - started:.0f} s)")
    except BaseException:
        pip.terminate()
        raise


def _busy_with(told: str) -> str:
    if "\nInstalling collected packages" in told:
        return "unpacking"
    return f"fetching: {told.count('Collecting ')} packages found so far"


def _text_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given."


# --- Purposes ------------------------------------------------------------------------------------------


TEST_TOOLS = {
    "chromium": ["/usr/bin/chromium"],
    "redis-server": ["/usr/bin/redis-server"],
    "postgresql": ["/usr/lib/postgresql/*/bin/postgres"],
}


def before_test() -> None:
    """Install what ./test.sh needs: the pinned packages, a browser, Redis and PostgreSQL.

    Raises SetupError (`tools_missing`) where the last three are missing and this user is not root.
    """
    ensure_environment("requirements-dev.txt")
    missing = [name for name, places in TEST_TOOLS.items() if not any(glob.glob(place) for place in places)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        names = " ".join(missing)
        raise SetupError("tools_missing", f"The tests need {names}. On Debian: sudo apt-get install {names}")
    apt_install(missing)


def before_run() -> None:
    """Check everything that can prevent ./run.sh, cheapest first, then install."""
    variables = environment()
    var = Path(variables.get("PNEUMOWEB_VAR") or ROOT / "var")
    check_folder(var, "the films and the database are kept")
    check_space(var, START_MB, "starting")
    check_model(Path(variables.get("MODELS_DIR") or ROOT / "pneumoml" / "models"))
    check_port(variables.get("HOST") or "127.0.0.1", port_number(variables.get("PORT") or "8000"))
    ensure_environment("requirements.txt")


def ensure_environment(name: str) -> None:
    """Make sure that .venv/ exists and holds what the requirements file `name` pins."""
    requirements = ROOT / name
    if _venv_is_sound() and is_installed(requirements):
        return
    check_folder(ROOT, "the virtual environment .venv/ is made")
    with _alone():
        ensure_venv()
        ensure_installed(requirements)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one start at a time change .venv/: a second one would take it for broken."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another start is installing the packages: waiting for it …")
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(folder)


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Prepare for `run` or `test`; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check this machine and install what is pinned.")
    parser.add_argument("purpose", choices=["run", "test"])
    purpose = parser.parse_args(arguments).purpose
    signal.signal(signal.SIGTERM, _stop)
    try:
        if purpose == "run":
            before_run()
        else:
            before_test()
    except SetupError as error:
        sys.stderr.write(f"pneumoweb cannot start: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"pneumoweb cannot start: {error.strerror} ({error.filename}).\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped before the installation was complete; the next start repairs it.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
