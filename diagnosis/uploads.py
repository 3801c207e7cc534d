"""Stops reading an upload once it is larger than a film may be."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from diagnosis.errors import FilmRefused

_SLACK = 1024 * 1024  # form fields and boundaries around the film


class CappedUploadHandler(FileUploadHandler):
    """Counts the bytes of each file and aborts the request at the first one too many."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._seen = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Start counting afresh for the next file."""
        super().new_file(*args, **kwargs)
        self._seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass the chunk on, or stop and remember why."""
        self._seen += len(raw_data)
        if self._seen > settings.MAX_UPLOAD_BYTES + _SLACK:
            if self.request is not None:
                self.request.upload_was_too_large = True  # type: ignore[attr-defined]  # read by the doors
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers after this one."""
        return


def cut_off() -> FilmRefused:
    """Return the refusal of a film whose request was stopped here, with the code of every film too large."""
    limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
    message = f"A film may have at most {limit} MB. This one, and any file after it, was not stored."
    return FilmRefused("file_too_large", message)
