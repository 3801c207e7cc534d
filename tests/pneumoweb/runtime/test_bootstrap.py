"""The start's checks and the pinned install, run as a person runs them, in a copy of the project."""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pneumoweb.runtime.bootstrap import SetupError, check_port, check_space, port_number, read_dotenv

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Copy:
    """A copy of the start's files in a folder with a space, its own requirements and a stand-in model."""

    root: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command from another folder, with only these variables and the person's PATH."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "PORT": str(free_port()),
        } | variables
        return subprocess.run(
            command, cwd="/", env=env, capture_output=True, text=True, check=False, timeout=120
        )

    def run_sh(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ./run.sh; whatever lets it pass its checks would try an install, which fails here at once."""
        return self.run("/bin/sh", str(self.root / "run.sh"), **variables)

    def bootstrap(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the checks and the install alone."""
        script = str(self.root / "pneumoweb" / "runtime" / "bootstrap.py")
        return self.run(sys.executable, "-I", script, "run", **variables)

    def begin_bootstrap(self) -> "subprocess.Popen[str]":
        """Begin the checks and the install without waiting for their end."""
        script = str(self.root / "pneumoweb" / "runtime" / "bootstrap.py")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root.parent), "PORT": str(free_port())}
        command = [sys.executable, "-I", script, "run"]
        return subprocess.Popen(command, cwd="/", env=env, stdout=subprocess.PIPE, text=True)

    def require(self, package: Path, sha256: str | None = None) -> None:
        """Pin one local package, with its true hash unless another is given."""
        digest = sha256 or hashlib.sha256(package.read_bytes()).hexdigest()
        line = f"tiny @ {package.as_uri()} --hash=sha256:{digest}\n"
        (self.root / "requirements.txt").write_text(line, encoding="ascii")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    root = tmp_path / "a project"
    (root / "pneumoweb" / "runtime").mkdir(parents=True)
    for name in ("run.sh", "pneumoweb/runtime/find_python.sh", "pneumoweb/runtime/bootstrap.py"):
        shutil.copy(ROOT / name, root / name)
    (root / "requirements.txt").write_text(
        "not-a-package-anywhere==0 --hash=sha256:" + "0" * 64, encoding="ascii"
    )
    model = root / "pneumoml" / "models" / "v1"
    model.mkdir(parents=True)
    (model / "card.json").write_text("{}", encoding="ascii")
    (model / "weights.npz").write_bytes(b"0")
    return Copy(root)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        yield int(other.getsockname()[1])


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the sentence that a refused start ends with; fail on a traceback or a zero exit."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("pneumoweb cannot start: "), done.stderr
    return "\n".join(lines)


def test_a_busy_port_is_named_and_another_one_proposed(copy: Copy, busy_port: int) -> None:
    said = refusal(copy.run_sh(PORT=str(busy_port)))
    assert f"Port {busy_port} on 127.0.0.1 cannot be used" in said
    assert f"PORT={busy_port + 1} ./run.sh" in said
    assert not (copy.root / ".venv").exists()


def test_a_missing_model_is_named_before_anything_is_installed(copy: Copy) -> None:
    (copy.root / "pneumoml" / "models" / "v1" / "weights.npz").unlink()
    said = refusal(copy.run_sh())
    assert f"No trained model is in {copy.root}/pneumoml/models" in said
    assert not (copy.root / ".venv").exists()


def test_models_may_lie_elsewhere(copy: Copy, tmp_path: Path) -> None:
    said = refusal(copy.run_sh(MODELS_DIR=str(tmp_path / "none")))
    assert f"No trained model is in {tmp_path}/none" in said


def test_a_data_folder_that_cannot_be_written_is_named(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    said = refusal(copy.run_sh(PNEUMOWEB_VAR=str(tmp_path / "file" / "var")))
    assert f"Cannot write in {tmp_path}/file/var" in said


def test_a_relative_data_folder_is_relative_to_where_the_person_stands(copy: Copy) -> None:
    said = refusal(copy.run_sh(PNEUMOWEB_VAR="proc/nowhere"))  # the person stands in /
    assert "Cannot write in /proc/nowhere" in said


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1"])
def test_a_port_that_is_no_port_is_refused(copy: Copy, port: str) -> None:
    assert f"PORT must be a number from 1 to 65535, and it is “{port}”" in refusal(copy.run_sh(PORT=port))


def test_an_unknown_host_is_refused(copy: Copy) -> None:
    assert "HOST is “192.0.2.300”" in refusal(copy.run_sh(HOST="192.0.2.300"))


def test_the_env_file_is_honoured_and_the_shell_wins(copy: Copy, busy_port: int) -> None:
    (copy.root / ".env").write_text(f"# a comment\nPORT={busy_port}\nHOST='127.0.0.1'\n", encoding="utf-8")
    bare = copy.run("/usr/bin/env", "-u", "PORT", "/bin/sh", str(copy.root / "run.sh"))
    assert f"Port {busy_port}" in refusal(bare)
    assert "PORT must be" in refusal(copy.run_sh(PORT="shell"))


def test_an_old_python_is_named_with_what_to_install(copy: Copy, tmp_path: Path) -> None:
    folder = tmp_path / "old python"
    folder.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        fake = folder / name
        fake.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n', encoding="ascii"
        )
        fake.chmod(0o755)
    said = refusal(copy.run_sh(PATH=f"{folder}:/usr/bin:/bin"))
    assert "needs Python 3.11 or newer, and this machine has Python 3.9.2" in said
    assert "apt-get install python3" in said


def test_a_python_without_venv_gets_the_command_to_type(copy: Copy, tmp_path: Path) -> None:
    """Not as root, who installs it: the check sees an ordinary user and a Python that lacks ensurepip."""
    folder = tmp_path / "bin"
    folder.mkdir()
    python = folder / "python3.11"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n', encoding="ascii"
    )
    python.chmod(0o755)
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import bootstrap; "
        "os.geteuid = lambda: 1000; sys.executable = sys.argv[2]; sys.exit(bootstrap.main(['run']))"
    )
    done = copy.run(sys.executable, "-I", "-c", script, str(copy.root / "pneumoweb" / "runtime"), str(python))
    assert "sudo apt-get install python3-venv" in refusal(done)


def test_a_disk_without_room_is_told_with_both_sizes(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"The disk is too full: starting needs 1,000,000,000 MB") as refused:
        check_space(tmp_path, 1e9, "starting")
    assert refused.value.code == "disk_full"


def test_every_address_of_this_machine_can_be_checked(busy_port: int) -> None:
    check_port("127.0.0.1", free_port())
    check_port("0.0.0.0", free_port())
    with pytest.raises(SetupError) as refused:
        check_port("0.0.0.0", busy_port)
    assert refused.value.code == "port_busy"


def test_port_number_reads_digits_only() -> None:
    assert port_number("8000") == 8000
    with pytest.raises(SetupError):
        port_number("٣")  # a digit to Python, but not to a shell


DOTENV_LINES = [
    ("A=b", "b"),
    ("export A=b", "b"),
    ("A='b c'", "b c"),
    ('A="b c"', "b c"),
    ("A=", ""),
    ("A='", "'"),
    ("A=b=c", "b=c"),
]


@pytest.mark.parametrize(("line", "value"), DOTENV_LINES)
def test_the_env_file_is_read_as_settings_reads_it(line: str, value: str, tmp_path: Path) -> None:
    import environ

    path = tmp_path / ".env"
    path.write_text(f"# B=1\n\n{line}\n", encoding="utf-8")
    read_by_settings: dict[str, str] = {}
    reader = type("Reader", (environ.Env,), {"ENVIRON": read_by_settings})
    reader.read_env(path)
    assert read_dotenv(path) == read_by_settings == {"A": value}


# --- The pinned install -----------------------------------------------------------------------------


def make_wheel(folder: Path, name: str, version: str = "1.0", requires: str = "") -> Path:
    """Write a wheel of one module, so that the true pip installs something without an index."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{name}.py": "ANSWER = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Provides-Extra: toml\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(file, text)
    return path


def pinned(wheel: Path) -> str:
    """Return the line of requirements.txt that pins this wheel."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A wheel that can be installed."""
    return make_wheel(tmp_path, "tiny")


def answer_of(copy: Copy) -> str:
    """Return what the installed module says, asked through the copy's own environment."""
    python = str(copy.root / ".venv" / "bin" / "python")
    return copy.run(python, "-I", "-c", "import tiny; print(tiny.ANSWER)").stdout.strip()


def test_the_pinned_install_is_done_once_and_again_when_the_pins_change(copy: Copy, package: Path) -> None:
    copy.require(package)
    first = copy.bootstrap()
    assert (first.returncode, answer_of(copy)) == (0, "42"), first
    assert "Installing the pinned packages" in first.stdout
    second = copy.bootstrap()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    with (copy.root / "requirements.txt").open("a", encoding="ascii") as pins:
        pins.write("# changed\n")
    assert "Installing the pinned packages" in copy.bootstrap().stdout


def test_installed_packages_are_compiled_whatever_python_was_told(copy: Copy, package: Path) -> None:
    copy.require(package)
    assert copy.bootstrap(PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert list((copy.root / ".venv" / "lib").glob("*/site-packages/__pycache__/tiny.*.pyc"))


def test_a_second_start_waits_while_the_first_installs(copy: Copy, package: Path) -> None:
    copy.require(package)
    folder = os.open(copy.root, os.O_RDONLY)  # the first start holds this lock while it installs
    fcntl.flock(folder, fcntl.LOCK_EX)
    second = copy.begin_bootstrap()
    assert second.stdout is not None
    assert "Another start is installing the packages" in second.stdout.readline()
    assert not (copy.root / ".venv").exists()
    os.close(folder)
    second.communicate(timeout=120)
    assert (second.returncode, answer_of(copy)) == (0, "42")


def test_a_wrong_hash_is_refused_and_the_cut_install_is_made_afresh(copy: Copy, package: Path) -> None:
    copy.require(package, sha256="0" * 64)
    assert "The packages could not be installed" in refusal(copy.bootstrap())
    assert answer_of(copy) == ""
    # What a power cut while unpacking leaves: to pip this package looks installed.
    copy.require(package)
    site_packages = next((copy.root / ".venv" / "lib").glob("*/site-packages"))
    with zipfile.ZipFile(package) as archive:
        archive.extractall(site_packages, [name for name in archive.namelist() if name != "tiny.py"])
    repaired = copy.bootstrap()
    assert "making it afresh" in repaired.stdout
    assert (repaired.returncode, answer_of(copy)) == (0, "42")


def test_a_folder_of_wheels_beside_the_project_is_all_that_is_asked(copy: Copy, package: Path) -> None:
    (copy.root / "requirements.txt").write_text(pinned(package), encoding="ascii")
    (copy.root / "wheels").mkdir()
    package.rename(copy.root / "wheels" / package.name)
    done = copy.bootstrap(PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert (done.returncode, answer_of(copy)) == (0, "42"), done
    assert "taken from wheels/" in done.stdout


def test_a_newer_release_of_a_pinned_package_does_not_stop_the_install(copy: Copy, tmp_path: Path) -> None:
    user = make_wheel(tmp_path, "tiny", requires="helper[toml]>=1.0")
    wheels = [user, make_wheel(tmp_path, "helper")]
    make_wheel(tmp_path, "helper", "2.0")  # released after the pins were written
    (copy.root / "requirements.txt").write_text("".join(map(pinned, wheels)), encoding="ascii")
    done = copy.bootstrap(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert (done.returncode, answer_of(copy)) == (0, "42"), done
