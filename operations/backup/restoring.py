"""Fills a new, empty installation from a backup of this version or of an earlier one.

The rows go into the schema that they were read from, through the models of that time; the migrations made
since then bring them to today's.
"""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.serializers import base as serialisation
from django.core.serializers.python import Deserializer
from django.db import DatabaseError, connection, models, transaction

from audit import trail
from audit.models import AuditEvent
from diagnosis.models import Study
from diagnosis.storage.filesystem import film_store
from operations.backup.hashed import HashedReader
from operations.backup.manifest import MEDIA, ROWS, BackupRefused, Manifest, member, read_manifest
from operations.backup.schema import drop_tables, prepare_schema, reset_sequences, stored_models


def restore_backup(*, path: Path) -> Manifest:
    """Fill this new, empty installation from the backup at `path`; return what the backup holds.

    The database may be without tables, or migrated. Nothing is added to the audit trail: it goes on where
    the backup ended. Raises BackupRefused (`not_a_backup`, `other_version`, `not_empty`, `damaged`); then
    the installation is as empty as before.
    """
    manifest = read_manifest(path)
    _refuse_unless_empty()
    apps = prepare_schema(manifest.migrations)
    restored: list[str] = []
    try:
        with tarfile.open(path) as tar, transaction.atomic():
            _restore_rows(tar, manifest, apps)
            _check_trail(manifest)
            for name, sha256 in manifest.files.items():
                restored.append(_restore_file(tar, name, sha256))
    except BaseException as error:
        _delete(restored)
        if isinstance(error, OSError | tarfile.TarError | ValueError | serialisation.DeserializationError):
            raise _damaged(f"{type(error).__name__}") from error
        if isinstance(error, DatabaseError):
            raise _damaged("its rows do not fit together") from error
        raise
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except BaseException:
        drop_tables(apps)
        _delete(restored)
        raise
    ContentType.objects.clear_cache()
    return manifest


def _refuse_unless_empty() -> None:
    if any(map(_has_rows, (User, Study, AuditEvent))) or film_store().names_below(""):
        raise BackupRefused(
            "not_empty",
            "This installation is in use already. Restore into a new one, before its first start: an empty "
            "data folder (PNEUMOWEB_VAR) and an empty database.",
        )


def _has_rows(model: type[models.Model]) -> bool:
    """Whether the model's table is there and holds a row, whatever columns it has."""
    is_there = model._meta.db_table in connection.introspection.table_names()
    return is_there and model._base_manager.exists()


class _DeserializerOf(Deserializer):
    """Makes the rows of one state's models."""

    def __init__(self, rows: list[dict[str, Any]], apps: Apps) -> None:
        super().__init__(rows)
        self._apps = apps

    def _get_model_from_node(self, model_identifier: str) -> type[models.Model]:
        try:
            return self._apps.get_model(model_identifier)
        except (LookupError, TypeError) as error:
            raise serialisation.DeserializationError(model_identifier) from error


def _restore_rows(tar: tarfile.TarFile, manifest: Manifest, apps: Apps) -> None:
    _empty_tables(apps)
    counts = dict.fromkeys(manifest.rows, 0)
    hashed = hashlib.sha256()
    for line in member(tar, ROWS):
        hashed.update(line)
        (row,) = _DeserializerOf([json.loads(line)], apps)
        # Never an UPDATE first: the trail's triggers refuse it, whether it finds a row or not.
        row.save(force_insert=True)
        counts[row.object._meta.label_lower] += 1
    if hashed.hexdigest() != manifest.rows_sha256 or counts != manifest.rows:
        raise _damaged("rows were changed or are missing")
    reset_sequences(apps)


def _empty_tables(apps: Apps) -> None:
    """Delete what the migrations made: roles, the first project, the head of the trail."""
    for model in stored_models(apps, automatic=True):
        rows = model._base_manager.all()
        if rows.exists():
            rows._raw_delete(rows.db)  # no cascades: everything goes


def _check_trail(manifest: Manifest) -> None:
    chain = trail.verify_chain()
    expected = (manifest.audit_events, manifest.audit_head, manifest.audit_whole)
    if (chain.events, chain.head, chain.is_whole) != expected:
        raise _damaged("the audit trail is not the one that was backed up")


def _restore_file(tar: tarfile.TarFile, name: str, sha256: str) -> str:
    content = HashedReader(member(tar, MEDIA + name))
    try:
        saved = default_storage.save(name, File(content, name))  # type: ignore[arg-type]  # only read is used
    except SuspiciousFileOperation as error:
        raise _damaged("a film's name leads elsewhere") from error
    if saved != name or content.sha256 != sha256:
        default_storage.delete(saved)
        raise _damaged(f"{name} was changed")
    return saved


def _delete(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _damaged(what: str) -> BackupRefused:
    return BackupRefused("damaged", f"The backup is damaged: {what}. Nothing was restored.")
