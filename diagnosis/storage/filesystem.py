"""The interface of film stores, and the store on disk, which flushes each file before it answers."""

import contextlib
import os
from pathlib import Path
from typing import IO, Any, Protocol, cast

from django.core.files.storage import FileSystemStorage, default_storage

_JOURNAL = "incoming"


class StoreUnreachableError(OSError):
    """The store does not answer, or fails: whether it has the film is unknown."""


class FilmStore(Protocol):
    """What films need of a store beyond Django's own methods. Every store fails with an OSError."""

    def mark_pending(self, name: str) -> None:
        """Enter this name in the upload journal, durably; raises OSError."""

    def clear_pending(self, name: str) -> None:
        """Remove the entry, where there is one; raises OSError."""

    def pending(self) -> dict[str, float]:
        """Return the entries and when each was made, in seconds since 1970."""

    def names_below(self, folder: str) -> set[str]:
        """Return the names of all files below a folder; an empty set without that folder."""


def film_store() -> FilmStore:
    """Return the store that the settings name (`MEDIA`)."""
    return cast(FilmStore, default_storage)


class DurableFileSystemStorage(FileSystemStorage):
    """Django's file storage; each save flushes the file and its folders to disk."""

    def _save(self, name: str, content: IO[Any]) -> str:
        try:
            saved: str = super()._save(name, content)  # type: ignore[misc]  # private in the stubs only
            for path in self._path_with_folders(saved):
                _flush(path)
        except BaseException:
            self.delete(name)  # never keep a partial file
            raise
        return saved

    def _path_with_folders(self, name: str) -> list[Path]:
        """Return the file and every folder above it: a new folder is durable once its parent is flushed."""
        path, top = Path(self.path(name)), Path(self.location)
        return [path, *(folder for folder in path.parents if folder == top or top in folder.parents)]

    def delete(self, name: str) -> None:
        """Delete the file, and its folder where it was the last one there."""
        super().delete(name)
        with contextlib.suppress(OSError):
            Path(self.path(name)).parent.rmdir()

    def mark_pending(self, name: str) -> None:
        """Make an empty folder, on disk on return."""
        folder = Path(self.location) / _JOURNAL
        (folder / name).mkdir(parents=True)
        _flush(folder)

    def clear_pending(self, name: str) -> None:
        """Remove the empty folder."""
        with contextlib.suppress(FileNotFoundError):
            (Path(self.location) / _JOURNAL / name).rmdir()

    def pending(self) -> dict[str, float]:
        """Return the names and times of the empty folders."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(Path(self.location) / _JOURNAL):
                with contextlib.suppress(FileNotFoundError):  # cleared meanwhile
                    found[entry.name] = entry.stat().st_mtime
        return found

    def names_below(self, folder: str) -> set[str]:
        """Walk the folder."""
        top = Path(self.location)
        files = (Path(place) / name for place, _, names in os.walk(top / folder) for name in names)
        return {file.relative_to(top).as_posix() for file in files}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
