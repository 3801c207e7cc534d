"""File storage whose files have reached the disk before a request is answered."""
import os
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage


class DurableFileSystemStorage(FileSystemStorage):
    """Django's file storage, with the file and its folder flushed to disk on every save."""

    def _save(self, name: str, content: IO[Any]) -> str:
        saved: str = super()._save(name, content)  # type: ignore[misc]  # private in the stubs, stable in Django
        path = Path(self.path(saved))
        _flush(path)
        _flush(path.parent)
        return saved


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
