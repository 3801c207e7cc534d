"""Writes a backup: one tar file with every row, every stored file and their checksums.

The rows are written by Django and not by a database's own tool, so that a backup of SQLite can be restored
into PostgreSQL and the other way round.
"""

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.serializers.python import Serializer
from django.db import connection, models, transaction

from audit import trail
from operations.backup.hashed import HashedReader
from operations.backup.manifest import FORMAT, MANIFEST, MEDIA, ROWS, BackupRefused, Manifest
from operations.backup.schema import installed_migrations, stored_models

# Sessions and workers' heartbeats mean nothing once the processes have been stopped. Daily rollups are
# computed anew: every restored film marks its hour as changed.
LEFT_OUT = {"sessions.session", "diagnosis.workerstatus", "insight.dayfigures", "insight.changedhour"}


def make_backup(*, actor: User | None, path: Path) -> Manifest:
    """Write everything into the new file `path`, readable by this user only, and return what it holds.

    All rows are of one moment, and people may go on working meanwhile. A film whose file is gone is named
    in `missing_files`. Raises BackupRefused (`file_exists`, `not_written`); then no file is left.
    """
    if path.exists():
        raise BackupRefused("file_exists", f"{path} is there already. Name a new file.")
    event = trail.record(actor=actor, verb="backup_made")
    manifest = Manifest(FORMAT, installed_migrations(), event.at.isoformat())
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
    writer, count = Serializer(), 0
    for row in model._base_manager.order_by("pk").iterator(chunk_size=500):
        (plain,) = writer.serialize([row])
        rows.write(json.dumps(plain, default=_as_text, ensure_ascii=False).encode() + b"\n")
        manifest.files.update(
            {name: "" for name in (str(getattr(row, each)) for each in file_fields) if name}
        )
        count += 1
    return count


def _as_text(value: Any) -> str:
    """Keep the microseconds of moments, which the trail's hashes cover: Django's own encoder cuts them."""
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
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    hashed = HashedReader(content)
    tar.addfile(entry, hashed)
    return hashed.sha256


def _backed_up() -> list[type[models.Model]]:
    return [model for model in stored_models(apps) if model._meta.label_lower not in LEFT_OUT]


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
