"""The ways in which a hospital may run it, each with real parts: one film is uploaded and analysed."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.reliability.conftest import StartStack
from tests.reliability.helpers.uploader import Uploader
from tests.support.servers.object_store import ObjectStore
from tests.support.servers.stack import ADMIN, ADMIN_PASSWORD, ROOT, Stack
from tests.support.servers.waiting import wait_until
from tests.support.sources import PACKAGES

pytestmark = [pytest.mark.worker, pytest.mark.tensorflow]


def test_a_film_goes_through_redis_postgresql_and_an_object_store(
    start_stack: StartStack, own_postgres_url: str, object_store: ObjectStore
) -> None:
    uploader = start_stack("redis", DATABASE_URL=own_postgres_url, **object_store.settings)
    uploader.stack.start_worker()
    uploader.upload()
    uploader.wait_until_all_are_through(seconds=180)
    assert uploader.results() == [1]
    assert not (uploader.stack.var / "db.sqlite3").exists()
    assert not (uploader.stack.var / "valkey.sock").exists()
    assert not (uploader.stack.var / "media").exists()
    assert [name.rpartition("/")[2] for name in object_store.names()] == [
        "display.png",
        "original.png",
        "thumbnail.jpg",
    ]
    (study,) = requests.get(
        f"{uploader.stack.url}/api/v1/studies/", headers=uploader.headers, timeout=20
    ).json()["results"]
    picture = requests.get(study["links"]["overlay"], headers=uploader.headers, timeout=20)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A copy of the project that belongs to another user, its packages already installed."""
    # Not pytest's own folder, which no other user may enter.
    top = Path(tempfile.mkdtemp(prefix="pneumoweb-run-"))
    top.chmod(0o755)
    copy = top / "pneumoweb here"
    copy.mkdir()
    for name in ("run.sh", "manage.py", "requirements.txt"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "templates", "static", "locale"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    _install(copy / ".venv", copy / "requirements.txt")
    if other := another_user():
        for path in [copy, *copy.rglob("*")]:
            os.lchown(path, other["user"], other["group"])
    yield copy
    shutil.rmtree(top)


def another_user() -> dict[str, Any]:
    """Return the user to run as: one without rights, if that one may run this Python."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-I", "-c", ""], check=True, cwd="/", **user)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return user


def _install(venv: Path, requirements: Path) -> None:
    """Link this environment's packages into the copy: installing them again would take minutes."""
    venv.mkdir()
    here = Path(sys.prefix)
    shutil.copy(here / "pyvenv.cfg", venv)
    for name in ("bin", "lib"):
        (venv / name).symlink_to(here / name)
    stamp = hashlib.sha256(requirements.read_bytes()).hexdigest()
    (venv / f".{requirements.name}.sha256").write_text(stamp, encoding="ascii")


def test_run_sh_serves_another_user_in_a_folder_of_their_own(own_folder: Path) -> None:
    stack = Stack(own_folder / "var")
    printed = own_folder.parent / "printed"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(own_folder),
        "PORT": str(stack.port),
        "DJANGO_SUPERUSER_USERNAME": ADMIN,
        "DJANGO_SUPERUSER_PASSWORD": ADMIN_PASSWORD,
    }
    with printed.open("wb") as out:
        site = subprocess.Popen(
            ["/bin/sh", str(own_folder / "run.sh")],
            cwd="/",
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
            **another_user(),
        )
    try:
        wait_until(
            lambda: site.poll() is not None or "The model is loaded" in printed.read_text(),
            seconds=300,
            what="the model",
        )
        assert site.poll() is None, printed.read_text()
        uploader = Uploader(stack)
        uploader.sign_in()
        uploader.upload()
        uploader.wait_until_all_are_through(seconds=60)
        assert uploader.results() == [1]
        site.send_signal(signal.SIGINT)
        assert site.wait(timeout=60) == 0
        assert "Stopped. The data are kept in" in printed.read_text()
    finally:
        site.kill()
        site.wait(timeout=30)
