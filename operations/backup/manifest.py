"""What a backup's tar file holds: `rows.jsonl`, the stored files below `media/`, and `manifest.json`."""

import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core.errors import Refused

FORMAT = 1
ROWS, MANIFEST, MEDIA = "rows.jsonl", "manifest.json", "media/"


class BackupRefused(Refused):
    """The backup cannot be written, or cannot be restored here."""


@dataclass
class Manifest:
    """What a backup holds: `files` maps stored names to SHA-256, `rows` models to their number of rows.

    `migrations` names every migration of the software that wrote the backup, as “app.name”.
    """

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


def read_manifest(path: Path) -> Manifest:
    """Return what the backup holds; raises BackupRefused (`not_a_backup`, `other_version`)."""
    try:
        with tarfile.open(path) as tar:
            manifest = Manifest(**json.load(member(tar, MANIFEST)))
    except (OSError, tarfile.TarError, ValueError, TypeError) as error:
        raise BackupRefused("not_a_backup", f"{path} is not a whole backup of pneumoweb.") from error
    if manifest.format != FORMAT:
        raise BackupRefused(
            "other_version",
            f"This backup was made by another version of pneumoweb, in format {manifest.format}; this "
            f"version knows format {FORMAT}. Restore it with the version that made it, then update.",
        )
    return manifest


def member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Open a member of the tar file; raises ValueError where there is none."""
    try:
        content = tar.extractfile(name)
    except KeyError as error:
        raise ValueError(name) from error
    if content is None:
        raise ValueError(name)
    return content
