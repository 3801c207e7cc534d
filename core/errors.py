"""Expected failures: each has a code for programs, a sentence for people and an HTTP status."""

from django.utils.functional import Promise


class Refused(Exception):  # noqa: N818 - the name says what happened to the request
    """The base of everything that is refused on purpose; nothing was stored or changed."""

    http_status = 400

    def __init__(self, code: str, message: str | Promise) -> None:
        self.code = code
        self.message = str(message)  # in the language of whoever is refused
        super().__init__(self.message)


class FilmRefused(Refused):
    """The film cannot be taken in: not an image, damaged, too large, of a kind that is not read."""

    _STATUS = {
        "file_too_large": 413,
        "too_many_pixels": 413,
        "unsupported_format": 415,
        "dicom_bits": 415,
        "dicom_colour": 415,
        "dicom_deflated": 415,
        "dicom_directory": 415,
        "dicom_document": 415,
        "dicom_for_processing": 415,
        "dicom_modality": 415,
        "dicom_report": 415,
        "dicom_transfer_syntax": 415,
    }

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code, message)
        self.http_status = self._STATUS.get(code, 400)


class UrlRefused(Refused):
    """The URL cannot be fetched: switched off, not allowed, unreachable or too slow."""


class NotAllowed(Refused):
    """The person's role does not cover this."""

    http_status = 403


class Conflict(Refused):
    """The thing is not in a state in which this can be done."""

    http_status = 409


class StorageFull(Refused):
    """There is no room left for the film."""

    http_status = 507


class NotReady(Refused):
    """The installation lacks something, for example an active model."""

    http_status = 503


class ModelRefused(Refused):
    """A model version cannot be registered or activated."""
