"""Films in an S3-compatible object store: private objects, atomic writes, errors as OSError."""

import errno
import io
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from diagnosis.storage.filesystem import StoreUnreachableError

_JOURNAL = "incoming/"
# Bytes; a larger object, such as an archive, is read by ranges.
_IN_MEMORY = 16 * 1024 * 1024
_PIECE = 2 * 1024 * 1024
_PAUSE_SECONDS = 5.0  # without requests after a timeout
_FULL = {"QuotaExceeded", "XMinioStorageFull", "EntityTooLarge", "InsufficientCapacity"}
# A store that does not answer must not block an upload or a worker much longer than a broken disk would.
_TIMEOUTS: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
    "tcp_keepalive": True,
    "max_pool_connections": 20,  # as many as the web server has threads
    # Other stores than Amazon's lack newer checksums and, often, buckets in the host name.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


class ObjectStorage(S3Storage):  # type: ignore[misc]  # without types
    """django-storages with one client per process, shared by all threads.

    A PUT is atomic, so nothing has to be published afterwards. No object has a URL for browsers: films are
    served by the site's own views.
    """

    _lock = threading.Lock()

    def __init__(self, **options: Any) -> None:
        style = "path" if options.get("endpoint_url") else "auto"
        config = Config(s3={"addressing_style": style}, signature_version="s3v4", **_TIMEOUTS)
        fixed = {"default_acl": None, "file_overwrite": False, "gzip": False, "client_config": config}
        super().__init__(**options, **fixed)
        self._resource: Any = None
        self._paused_until = 0.0

    @property
    def connection(self) -> Any:
        """The process's one connection; a client per thread would cost some megabytes each."""
        with self._lock:
            if self._resource is None:
                self._resource = self._create_session().resource(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config,
                )
        return self._resource

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _key(self, name: str) -> str:
        return str(self._normalize_name(name))

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Send the object in one request; a killed multipart upload would leave hidden parts."""
        with self._as_file_errors(), tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            for piece in content.chunks():
                body.write(piece)
            body.seek(0)
            self._client.put_object(Bucket=self.bucket_name, Key=self._key(name), Body=body)
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        if mode != "rb":
            raise ValueError("Objects are read, or saved as a whole.")
        with self._as_file_errors():
            answer = self._client.get_object(Bucket=self.bucket_name, Key=self._key(name))
            size: int = answer["ContentLength"]
            if size <= _IN_MEMORY:
                return ContentFile(answer["Body"].read(), name)
            answer["Body"].close()
        pieces = io.BufferedReader(_RangeReader(self, name, size), _PIECE)
        film = File(pieces, name)
        film.size = size
        return film

    def piece(self, name: str, start: int, length: int) -> bytes:
        """Return a range of an object's bytes; raises FileNotFoundError."""
        span = f"bytes={start}-{start + length - 1}"
        with self._as_file_errors():
            answer = self._client.get_object(Bucket=self.bucket_name, Key=self._key(name), Range=span)
            read: bytes = answer["Body"].read()
        return read

    def delete(self, name: str) -> None:
        """Delete the object; a missing one is no error."""
        with self._as_file_errors():
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Return whether there is an object of this name; folders do not count."""
        with self._as_file_errors():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """Return the object's size in bytes; raises FileNotFoundError."""
        with self._as_file_errors():
            return int(super().size(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and of objects in a folder."""
        with self._as_file_errors():
            folders, names = super().listdir(name)
        return folders, names

    def get_modified_time(self, name: str) -> datetime:
        """Return when the object was saved."""
        with self._as_file_errors():
            moment: datetime = super().get_modified_time(name)
        return moment

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Refuse: films are served by views that check permissions."""
        raise ValueError("Films have no public address.")

    def mark_pending(self, name: str) -> None:
        """Store an empty object, which every machine sees."""
        self._save(f"{_JOURNAL}{name}", ContentFile(b""))

    def clear_pending(self, name: str) -> None:
        """Delete the empty object."""
        self.delete(f"{_JOURNAL}{name}")

    def pending(self) -> dict[str, float]:
        """Return the names and times of the empty objects."""
        return {name.removeprefix(_JOURNAL): made.timestamp() for name, made in self._listed(_JOURNAL)}

    def names_below(self, folder: str) -> set[str]:
        """List the objects, a thousand at a time."""
        return {name for name, _ in self._listed(f"{folder}/" if folder else "")}

    def _listed(self, start: str) -> Iterator[tuple[str, datetime]]:
        location = f"{self.location.strip('/')}/" if self.location.strip("/") else ""
        pages = self._client.get_paginator("list_objects_v2")
        with self._as_file_errors():
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=location + start):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(location), entry["LastModified"]

    @contextmanager
    def _as_file_errors(self) -> Iterator[None]:
        """Raise errors as a disk does: FileNotFoundError, ENOSPC, else StoreUnreachableError.

        After a timeout further requests fail at once for some seconds, because an upload makes several.
        """
        if time.monotonic() < self._paused_until:
            raise StoreUnreachableError(errno.EIO, "The object store does not answer")
        try:
            yield
        except ClientError as error:
            raise _file_error(error) from error
        except BotoCoreError as error:
            if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
                self._paused_until = time.monotonic() + _PAUSE_SECONDS
            reason = f"The object store failed: {type(error).__name__}"
            raise StoreUnreachableError(errno.EIO, reason) from error


class _RangeReader(io.RawIOBase):
    """A large object as a file whose reads are range requests."""

    def __init__(self, store: ObjectStorage, name: str, size: int) -> None:
        self._store, self._name, self._size, self._at = store, name, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        piece = self._store.piece(self._name, self._at, length)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _file_error(error: ClientError) -> OSError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 404 and code != "NoSuchBucket":
        return FileNotFoundError(errno.ENOENT, "There is no such object")
    if status == 507 or code in _FULL:
        return OSError(errno.ENOSPC, "The object store is full")
    return StoreUnreachableError(errno.EIO, f"The object store refused: {code or status}")
