"""Where films lie: what every store can do, and files that are on disk before a request is answered."""

import contextlib
import os
from pathlib import Path
from typing import IO, Any, Protocol, cast

from django.core.files.storage import FileSystemStorage, default_storage

_NOTES = "incoming"


class StoreUnreachableError(OSError):
    """The store does not answer, or not as it should: whether the film is there, nobody knows just now."""


class FilmStore(Protocol):
    """What films ask of a store beyond Django's own methods. Trouble is an OSError, whatever the store."""

    def put_note(self, name: str) -> None:
        """Note durably that files of this name come or go; raises OSError."""

    def drop_note(self, name: str) -> None:
        """Take the note away, where there is one; raises OSError."""

    def notes(self) -> dict[str, float]:
        """Return the notes and when each was made, in seconds since 1970."""

    def names_below(self, folder: str) -> set[str]:
        """Return the names of all files below a folder; none where there is no such folder."""


def film_store() -> FilmStore:
    """Return the store that the settings name (`MEDIA`)."""
    return cast(FilmStore, default_storage)


class DurableFileSystemStorage(FileSystemStorage):
    """Django's file storage, with the file and the folders it lies in flushed to disk on every save."""

    def _save(self, name: str, content: IO[Any]) -> str:
        try:
            saved: str = super()._save(name, content)  # type: ignore[misc]  # private in the stubs only
            for path in self._way_to(saved):
                _flush(path)
        except BaseException:
            self.delete(name)  # half a film is no film
            raise
        return saved

    def _way_to(self, name: str) -> list[Path]:
        """Return the file and every folder above it: a new folder is durable once its parent is flushed."""
        path, top = Path(self.path(name)), Path(self.location)
        return [path, *(folder for folder in path.parents if folder == top or top in folder.parents)]

    def delete(self, name: str) -> None:
        """Delete the file, and the folder with it when it was the last one there."""
        super().delete(name)
        with contextlib.suppress(OSError):
            Path(self.path(name)).parent.rmdir()

    def put_note(self, name: str) -> None:
        """Make an empty folder: it is there at once, and on disk when this returns."""
        folder = Path(self.location) / _NOTES
        (folder / name).mkdir(parents=True)
        _flush(folder)

    def drop_note(self, name: str) -> None:
        """Remove the empty folder."""
        with contextlib.suppress(FileNotFoundError):
            (Path(self.location) / _NOTES / name).rmdir()

    def notes(self) -> dict[str, float]:
        """Return the names and times of the empty folders."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(Path(self.location) / _NOTES):
                with contextlib.suppress(FileNotFoundError):  # settled meanwhile
                    found[entry.name] = entry.stat().st_mtime
        return found

    def names_below(self, folder: str) -> set[str]:
        """Walk through the folder."""
        top = Path(self.location)
        files = (Path(place) / name for place, _, names in os.walk(top / folder) for name in names)
        return {file.relative_to(top).as_posix() for file in files}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
