"""Checks a DICOM file by its file meta group, before the rest is read.

Nothing is inflated and no dataset is parsed, so the web process may do it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pneumoml.decoding.headers import ImageRefused, broken_header

_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
TRANSFER_SYNTAXES = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    _EXPLICIT_LITTLE: "Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless, first-order prediction",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 Lossless RPCL",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
    "1.2.840.10008.1.2.5": "RLE Lossless",
}
_DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.8.1")
_DIRECTORY = "1.2.840.10008.1.3.10"
_START = 132
_MAX_ELEMENTS = 64
_LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")
_SHORT = (b"AE", b"SH", b"UI", b"UL", b"US", b"LO", b"UR", b"ST", b"CS")
_SOP_CLASS, _TRANSFER_SYNTAX = 0x0002, 0x0010


def is_dicom(data: bytes) -> bool:
    """Return whether the content (PS3.10 §7.1) is a DICOM file."""
    return data[128:_START] == b"DICM"


def check_meta(data: bytes) -> str:
    """Return the transfer syntax UID of a DICOM file, one of TRANSFER_SYNTAXES.

    Raises `ImageRefused` (broken_header, dicom_deflated, dicom_transfer_syntax, dicom_directory). Deflated
    files are refused here, before anything is inflated: a few hundred kilobytes can hold gigabytes.
    """
    found = {number: value for number, value in _elements(data)}
    if _uid(found.get(_SOP_CLASS, b"")) == _DIRECTORY:
        raise ImageRefused(
            "dicom_directory", "This is a DICOM directory, not a film. Upload the films that it lists."
        )
    syntax = _uid(found.get(_TRANSFER_SYNTAX, b""))
    if syntax in _DEFLATED:
        raise ImageRefused(
            "dicom_deflated",
            "The DICOM file is deflated, which is not read here. Export it uncompressed (Explicit VR Little "
            "Endian), or as JPEG or PNG.",
        )
    if syntax not in TRANSFER_SYNTAXES:
        raise ImageRefused(
            "dicom_transfer_syntax",
            "The DICOM file is compressed in a way that is not read here, or does not say how. Export it "
            "uncompressed (Explicit VR Little Endian), or as JPEG or PNG.",
        )
    return syntax


def broken_dicom() -> ImageRefused:
    """Return the refusal of a DICOM file whose header cannot be parsed."""
    return broken_header("DICOM")


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (element number, value) of group 0002, which is always Explicit VR Little Endian (PS3.10 §7.1).

    The numbers must ascend: of a duplicate element another parser might use the other one.
    """
    position, last = _START, -1
    for _ in range(_MAX_ELEMENTS):
        if data[position : position + 2] != b"\x02\x00":
            return
        number = int.from_bytes(data[position + 2 : position + 4], "little")
        kind = data[position + 4 : position + 6]
        if number <= last or kind not in _LONG + _SHORT:
            raise broken_dicom()
        size_at, size_bytes = (position + 8, 4) if kind in _LONG else (position + 6, 2)
        start = size_at + size_bytes
        end = start + int.from_bytes(data[size_at:start], "little")
        if end > len(data):
            raise broken_dicom()
        yield number, data[start:end]
        position, last = end, number
    raise broken_dicom()


def _uid(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii", "replace")
