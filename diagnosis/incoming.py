"""Notes of films on their way in, or out: what a killed process leaves by halves is found by its note."""

import logging
import os
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage

from diagnosis.models import Study

logger = logging.getLogger(__name__)


def note(uid: UUID) -> None:
    """Note, before the first file is written or the row is deleted, that the study's files come or go.

    Raises OSError.

    The note is an empty folder: it is there at once, and on disk when this returns.
    """
    folder = _notes()
    (folder / str(uid)).mkdir(parents=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(uid: UUID) -> None:
    """Take the note away: the study's row is stored, or its files are gone."""
    try:
        (_notes() / str(uid)).rmdir()
    except FileNotFoundError:
        return
    except OSError:
        logger.exception("The note of a film on its way in could not be taken away; it is tried again.")


def on_their_way() -> set[UUID]:
    """Return the studies whose files are being stored at this moment, or whose storing was cut off."""
    try:
        names = os.listdir(_notes())
    except FileNotFoundError:
        return set()
    return {uid for uid in map(uid_from, names) if uid is not None}


def uid_from(name: str) -> UUID | None:
    """Return the study's id that a folder is named by; None when the folder is none of ours."""
    try:
        return UUID(name)
    except ValueError:
        return None


def remove_leftovers() -> int:
    """Remove the files of studies that were noted long ago and have no row; return how many studies.

    Nobody was told that these films were taken in. Files without a note are never touched: they may be what
    remains of films that a restored database does not know.
    """
    removed = 0
    for uid in on_their_way():
        if not _is_old(uid):
            continue
        if not Study.objects.filter(uid=uid).exists():
            _remove_files(uid)
            removed += 1
        settle(uid)
    return removed


def _notes() -> Path:
    return Path(settings.MEDIA_ROOT) / "incoming"


def _is_old(uid: UUID) -> bool:
    try:
        noted_at = (_notes() / str(uid)).stat().st_mtime
    except FileNotFoundError:  # settled meanwhile
        return False
    return time.time() - noted_at > settings.INCOMING_FORGOTTEN_AFTER_SECONDS


def _remove_files(uid: UUID) -> None:
    display = Study._meta.get_field("display")
    folder = Path(display.generate_filename(Study(uid=uid), "display")).parent.as_posix()
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    logger.warning("An upload was cut off; its %d files were removed.", len(names))
