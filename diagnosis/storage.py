"""File storage whose files have reached the disk before a request is answered."""

import contextlib
import os
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage


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


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
