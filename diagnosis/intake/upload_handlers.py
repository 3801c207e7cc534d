"""Abort an upload that exceeds the size limit of a film or of an archive."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.errors import FilmRefused
from diagnosis.intake.archives import ArchiveRefused

_SLACK = 1024 * 1024  # form fields and boundaries around the film


class CappedUploadHandler(FileUploadHandler):
    """Counts the bytes of each file and aborts the request beyond the limit."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._seen = 0

    @property
    def limit(self) -> int:
        """The maximum size of one file in bytes."""
        return int(settings.MAX_UPLOAD_BYTES)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Reset the count for the next file."""
        super().new_file(*args, **kwargs)
        self._seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass the chunk on, or abort and mark the request."""
        self._seen += len(raw_data)
        if self._seen > self.limit + _SLACK:
            if self.request is not None:
                self.request.upload_was_too_large = True  # type: ignore[attr-defined]  # read by views and API
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handlers."""
        return


class CappedArchiveHandler(CappedUploadHandler):
    """The same with the limit for archives."""

    @property
    def limit(self) -> int:
        """The maximum size of one archive in bytes."""
        return int(settings.MAX_BATCH_BYTES)


def expect_archive(request: HttpRequest) -> None:
    """Allow this request a file of an archive's size; call it before anything reads the body."""
    request.upload_handlers = [
        CappedArchiveHandler(request),
        MemoryFileUploadHandler(request),
        TemporaryFileUploadHandler(request),
    ]


def archive_too_large() -> ArchiveRefused:
    """Return the refusal of an archive whose upload was aborted."""
    limit = settings.MAX_BATCH_BYTES // (1024 * 1024)
    message = _("An archive may have at most %(limit)d MB. Send it in parts, or send the folder.")
    return ArchiveRefused("archive_too_large", message % {"limit": limit})


def film_too_large() -> FilmRefused:
    """Return the refusal of a film whose upload was aborted, with the code of every film too large."""
    limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
    message = _("A film may have at most %(limit)d MB. This one, and any file after it, was not stored.")
    return FilmRefused("file_too_large", message % {"limit": limit})
