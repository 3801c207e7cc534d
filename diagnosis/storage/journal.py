"""Notes of films on their way in, or out: what a killed process leaves by halves is found by its note."""

import logging
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage

from diagnosis.models import Study
from diagnosis.storage.filesystem import film_store

logger = logging.getLogger(__name__)


def note(uid: UUID) -> None:
    """Note, before the first file is written or the row is deleted, that the study's files come or go.

    It is durable when this returns. Raises OSError.
    """
    film_store().put_note(str(uid))


def settle(uid: UUID) -> None:
    """Take the note away: the study's row is stored, or its files are gone."""
    try:
        film_store().drop_note(str(uid))
    except OSError:
        logger.exception("The note of a film on its way in could not be taken away; it is tried again.")


def on_their_way() -> set[UUID]:
    """Return the studies whose files are being stored at this moment, or whose storing was cut off."""
    return {uid for uid in map(uid_from, film_store().notes()) if uid is not None}


def uid_from(name: str) -> UUID | None:
    """Return the study's id that a folder is named by; None when the folder is none of ours."""
    try:
        return UUID(name)
    except ValueError:
        return None


def remove_leftovers() -> int:
    """Remove the files of studies that were noted long ago and have no row; return how many studies.

    Nobody was told that these films were taken in. Files without a note are never touched: they may be what
    remains of films that a restored database does not know. While the store does not answer, nothing is done.
    """
    removed = 0
    try:
        for uid in _forgotten():
            if not Study.objects.filter(uid=uid).exists():
                _remove_files(uid)
                removed += 1
            settle(uid)
    except OSError:
        logger.exception("What cut-off uploads left could not be removed; it is tried again.")
    return removed


def _forgotten() -> list[UUID]:
    """Return the studies that were noted long ago."""
    before = time.time() - settings.INCOMING_FORGOTTEN_AFTER_SECONDS
    old = (uid_from(name) for name, noted_at in film_store().notes().items() if noted_at < before)
    return [uid for uid in old if uid is not None]


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
