"""A backup of an installation: one tar file with every row, every film and their checksums; and its way back.

The rows are written by Django and not by a database's own tool, so that a backup of SQLite can be restored
into PostgreSQL and the other way round.
"""

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management.color import no_style
from django.core.serializers import base as serialisation
from django.core.serializers import python as serialiser
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader

from audit import trail
from audit.models import AuditEvent
from core.errors import Refused
from diagnosis.models import Study
from diagnosis.storage.filesystem import film_store

FORMAT = 1
ROWS, MANIFEST, MEDIA = "rows.jsonl", "manifest.json", "media/"
# What says nothing once the processes have been stopped: people sign in again, workers sign again.
# Sums of days are worked out anew: what is restored marks every day as changed.
LEFT_OUT = {"sessions.session", "diagnosis.workerstatus", "insight.dayfigures", "insight.changedhour"}


class BackupRefused(Refused):
    """The backup cannot be written, or cannot be restored here."""


@dataclass
class Manifest:
    """What a backup holds: `files` maps stored names to SHA-256, `rows` models to their number of rows."""

    format: int
    migrations: list[str]
    made_at: str
    rows: dict[str, int] = field(default_factory=dict)
    rows_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    missing_files: list[str] = field(default_factory=list)
    audit_events: int = 0
    audit_head: str = ""
    audit_whole: bool = True


# --- Writing ------------------------------------------------------------------------------------------


def make_backup(*, actor: User | None, path: Path) -> Manifest:
    """Write everything into the new file `path`, readable by this user only, and return what it holds.

    All rows are of one moment, and people may go on working meanwhile. A film whose file is gone is named
    in `missing_files`. Raises BackupRefused (`file_exists`, `not_written`); then no file is left.
    """
    if path.exists():
        raise BackupRefused("file_exists", f"{path} is there already. Name a new file.")
    event = trail.record(actor=actor, verb="backup_made")
    manifest = Manifest(FORMAT, _migrations(), event.at.isoformat())
    draft = path.with_name(f"{path.name}.part")
    try:
        with _private_file(draft) as out, tarfile.open(fileobj=out, mode="w") as tar:
            _add_rows(tar, manifest, path.parent)
            _add_files(tar, manifest)
            _add_manifest(tar, manifest)
        draft.rename(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BackupRefused("not_written", f"The backup could not be written ({reason}): {path}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


@contextmanager
def _private_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file for this user only; it has reached the disk at the end."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def _add_rows(tar: tarfile.TarFile, manifest: Manifest, scratch: Path) -> None:
    with tempfile.TemporaryFile(dir=scratch) as rows:
        with _one_moment():
            for model in _backed_up():
                manifest.rows[model._meta.label_lower] = _write_rows(model, rows, manifest)
            chain = trail.verify_chain()
        manifest.audit_events, manifest.audit_head = chain.events, chain.head
        manifest.audit_whole = chain.is_whole
        size = rows.tell()
        rows.seek(0)
        manifest.rows_sha256 = _add(tar, ROWS, rows, size)


def _write_rows(model: type[models.Model], rows: IO[bytes], manifest: Manifest) -> int:
    """Append every row of `model` as one line of JSON; note the files they name."""
    file_fields = [each.attname for each in model._meta.concrete_fields if isinstance(each, models.FileField)]
    writer, count = serialiser.Serializer(), 0
    for row in model._base_manager.order_by("pk").iterator(chunk_size=500):
        (plain,) = writer.serialize([row])
        rows.write(json.dumps(plain, default=_as_text, ensure_ascii=False).encode() + b"\n")
        manifest.files.update(
            {name: "" for name in (str(getattr(row, each)) for each in file_fields) if name}
        )
        count += 1
    return count


def _as_text(value: Any) -> str:
    """Write a moment with its microseconds: Django's own encoder cuts them, and the trail's hashes differ."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def _add_files(tar: tarfile.TarFile, manifest: Manifest) -> None:
    for name in sorted(manifest.files):
        try:
            with default_storage.open(name, "rb") as film:
                manifest.files[name] = _add(tar, MEDIA + name, film, film.size)
        except FileNotFoundError:
            del manifest.files[name]
            manifest.missing_files.append(name)


def _add_manifest(tar: tarfile.TarFile, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False).encode()
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        _add(tar, MANIFEST, file, len(text))


def _add(tar: tarfile.TarFile, name: str, content: IO[Any], size: int) -> str:
    """Add one member and return the SHA-256 of what was written."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    hashed = _Hashed(content)
    tar.addfile(member, hashed)
    return hashed.sha256


class _Hashed:
    """A reader that knows the SHA-256 of what was read."""

    def __init__(self, content: IO[Any]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part: bytes = self._content.read(size)
        self._hash.update(part)
        return part

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


# --- What is in it ------------------------------------------------------------------------------------


def _backed_up() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy and model._meta.label_lower not in LEFT_OUT
    ]


def _migrations() -> list[str]:
    """Return the names of all migrations that this version of the software has."""
    return sorted(".".join(key) for key in MigrationLoader(connection).disk_migrations or {})


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read everything as it is at one moment, without keeping others from writing."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        database: Any = connection
        mode, database.transaction_mode = database.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            database.transaction_mode = mode
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


# --- Restoring ----------------------------------------------------------------------------------------


def read_manifest(path: Path) -> Manifest:
    """Return what the backup holds; raises BackupRefused (`not_a_backup`, `other_version`)."""
    try:
        with tarfile.open(path) as tar:
            told = json.load(_member(tar, MANIFEST))
        manifest = Manifest(**told)
    except (OSError, tarfile.TarError, ValueError, TypeError) as error:
        raise BackupRefused("not_a_backup", f"{path} is not a whole backup of pneumoweb.") from error
    if manifest.format != FORMAT or manifest.migrations != _migrations():
        raise BackupRefused(
            "other_version",
            "This backup was made by another version of pneumoweb. Restore it with that one, then update.",
        )
    return manifest


def restore_backup(*, path: Path) -> Manifest:
    """Fill this new, empty installation from the backup at `path`; return what it holds now.

    Nothing is added to the trail: it goes on where the backup ended.
    Raises BackupRefused (`not_a_backup`, `other_version`, `not_empty`, `damaged`); then nothing was changed.
    """
    manifest = read_manifest(path)
    _refuse_unless_empty()
    restored: list[str] = []
    try:
        with tarfile.open(path) as tar, transaction.atomic():
            _restore_rows(tar, manifest)
            _check_trail(manifest)
            for name, sha256 in manifest.files.items():
                restored.append(_restore_file(tar, name, sha256))
    except BaseException as error:
        for name in restored:
            default_storage.delete(name)
        if isinstance(error, OSError | tarfile.TarError | ValueError | serialisation.DeserializationError):
            raise _damaged(f"{type(error).__name__}") from error
        if isinstance(error, DatabaseError):
            raise _damaged("its rows do not fit together") from error
        raise
    ContentType.objects.clear_cache()
    return manifest


def _refuse_unless_empty() -> None:
    rows = User.objects.exists() or Study.objects.exists() or AuditEvent.objects.exists()
    if rows or film_store().names_below(""):
        raise BackupRefused(
            "not_empty",
            "This installation is in use already. Restore into a new one, before its first start: an empty "
            "data folder (PNEUMOWEB_VAR) and an empty database.",
        )


def _restore_rows(tar: tarfile.TarFile, manifest: Manifest) -> None:
    _empty_the_tables()
    counts = dict.fromkeys(manifest.rows, 0)
    hashed = hashlib.sha256()
    for line in _member(tar, ROWS):
        hashed.update(line)
        (row,) = serialiser.Deserializer([json.loads(line)])
        # Never an UPDATE first: the trail's triggers refuse it, whether it finds a row or not.
        row.save(force_insert=True)
        counts[row.object._meta.label_lower] += 1
    if hashed.hexdigest() != manifest.rows_sha256 or counts != manifest.rows:
        raise _damaged("rows were changed or are missing")
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _backed_up()):
            cursor.execute(statement)


def _empty_the_tables() -> None:
    """Take away what the migrations made: roles, the first project, the head of the trail."""
    for model in apps.get_models(include_auto_created=True):
        rows = model._base_manager.all()
        if model._meta.managed and not model._meta.proxy and rows.exists():
            rows._raw_delete(rows.db)  # no cascades: everything goes


def _check_trail(manifest: Manifest) -> None:
    chain = trail.verify_chain()
    expected = (manifest.audit_events, manifest.audit_head, manifest.audit_whole)
    if (chain.events, chain.head, chain.is_whole) != expected:
        raise _damaged("the audit trail is not the one that was backed up")


def _restore_file(tar: tarfile.TarFile, name: str, sha256: str) -> str:
    content = _Hashed(_member(tar, MEDIA + name))
    try:
        saved = default_storage.save(name, File(content, name))  # type: ignore[arg-type]  # only read is used
    except SuspiciousFileOperation as error:
        raise _damaged("a film's name leads elsewhere") from error
    if saved != name or content.sha256 != sha256:
        default_storage.delete(saved)
        raise _damaged(f"{name} was changed")
    return saved


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        member = tar.extractfile(name)
    except KeyError as error:
        raise ValueError(name) from error
    if member is None:
        raise ValueError(name)
    return member


def _damaged(what: str) -> BackupRefused:
    return BackupRefused("damaged", f"The backup is damaged: {what}. Nothing was restored.")
