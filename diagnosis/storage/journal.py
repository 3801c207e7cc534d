"""Write-ahead journal of uploads: names the films whose files are being written or removed."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction

from diagnosis.models import Study
from diagnosis.storage.filesystem import film_store

logger = logging.getLogger(__name__)


@contextmanager
def writing(study: Study) -> Iterator[None]:
    """Store the files and the row of a new film inside this context: both stay, or neither.

    The entry is durable before the first file is written, and cleared once the row is committed. Where the
    body fails, the files are removed, unless its row was stored all the same. Raises OSError.
    """
    try:
        mark_pending(study.uid)
        yield
    except BaseException:
        _remove_files_unless_stored(study.uid)
        raise
    transaction.on_commit(lambda: clear(study.uid))


def mark_pending(uid: UUID) -> None:
    """Enter the film before its first file is written or its row is deleted; durable on return.

    Raises OSError.
    """
    film_store().mark_pending(str(uid))


def clear(uid: UUID) -> None:
    """Remove the entry of a film whose row is stored, or whose files are gone."""
    try:
        film_store().clear_pending(str(uid))
    except OSError:
        logger.exception("An entry of the upload journal could not be cleared; it is tried again.")


def pending() -> set[UUID]:
    """Return the films whose files are being written or removed, or were when a process was killed."""
    return {uid for uid in map(uid_from, film_store().pending()) if uid is not None}


def uid_from(name: str) -> UUID | None:
    """Return the film's id that a folder is named after; None for a folder of anything else."""
    try:
        return UUID(name)
    except ValueError:
        return None


def remove_files(uid: UUID) -> None:
    """Remove the files of a film without a row, then its entry; where the store fails, the entry stays."""
    try:
        _delete_files(uid)
    except OSError:
        logger.exception("The files of a film without a row could not be removed; it is tried again.")
        return
    clear(uid)


def remove_leftovers() -> int:
    """Remove the files of films that were entered long ago and have no row; return how many films.

    The senders of these films got no confirmation. Files without an entry are never touched: after a
    database was restored they may be all that is left of a film. A store that does not answer stops it.
    """
    removed = 0
    try:
        for uid in _entered_long_ago():
            if not Study.objects.filter(uid=uid).exists():
                if count := _delete_files(uid):
                    logger.warning("An upload was cut off; its %d files were removed.", count)
                removed += 1
            clear(uid)
    except OSError:
        logger.exception("What cut-off uploads left could not be removed; it is tried again.")
    return removed


def _entered_long_ago() -> list[UUID]:
    before = time.time() - settings.INCOMING_FORGOTTEN_AFTER_SECONDS
    old = (uid_from(name) for name, entered_at in film_store().pending().items() if entered_at < before)
    return [uid for uid in old if uid is not None]


def _remove_files_unless_stored(uid: UUID) -> None:
    """Ask the database first: a connection lost at COMMIT leaves open whether the row is stored."""
    try:
        stored = Study.objects.filter(uid=uid).exists()
    except DatabaseError:
        return  # unknown: the entry stays, and the reconciler asks again
    if stored:
        clear(uid)
    else:
        remove_files(uid)


def _delete_files(uid: UUID) -> int:
    display = Study._meta.get_field("display")
    folder = Path(display.generate_filename(Study(uid=uid), "display")).parent.as_posix()
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return 0
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    return len(names)
