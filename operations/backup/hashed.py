"""A reader that computes the SHA-256 of what passes through it."""

import hashlib
from typing import IO, Any


class HashedReader:
    """Reads from `content` and hashes what was read so far."""

    def __init__(self, content: IO[Any]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or all that are left."""
        part: bytes = self._content.read(size)
        self._hash.update(part)
        return part

    @property
    def sha256(self) -> str:
        """The hexadecimal SHA-256."""
        return self._hash.hexdigest()
