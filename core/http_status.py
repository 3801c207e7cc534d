"""The HTTP status of each refusal, for the API and for pages."""

from core.errors import Conflict, NotAllowed, NotReady, Refused, StorageFull, Unprocessable

_OF_CODE = {
    "archive_not_zip": 415,
    "archive_too_large": 413,
    "archive_too_many": 413,
    "dicom_bits": 415,
    "dicom_colour": 415,
    "dicom_deflated": 415,
    "dicom_directory": 415,
    "dicom_document": 415,
    "dicom_for_processing": 415,
    "dicom_modality": 415,
    "dicom_report": 415,
    "dicom_transfer_syntax": 415,
    "file_too_large": 413,
    "locked_out": 429,
    "too_many_pixels": 413,
    "unsupported_format": 415,
}
_OF_CLASS: dict[type[Refused], int] = {
    NotAllowed: 403,
    Conflict: 409,
    Unprocessable: 422,
    NotReady: 503,
    StorageFull: 507,
}
_DEFAULT = 400


def status_of_code(code: str) -> int:
    """Return the status of a refusal of which only the code was stored."""
    return _OF_CODE.get(code, _DEFAULT)


def status_of(refusal: Refused) -> int:
    """Return the status of a refusal: that of its code, else that of its class, else 400."""
    if refusal.code in _OF_CODE:
        return _OF_CODE[refusal.code]
    return next((_OF_CLASS[kind] for kind in type(refusal).__mro__ if kind in _OF_CLASS), _DEFAULT)
