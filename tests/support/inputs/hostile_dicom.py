"""Hostile and odd DICOM files, each with its expected outcome; part of the corpus in hostile.py."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from pydicom.dataset import Dataset

from tests.support.inputs import films
from tests.support.inputs.dicom_films import dataset, dicom, encapsulated, lut, values12, written

ACCEPTED = "accepted"
JPEG, J2K, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"
DEFLATED = "1.2.840.10008.1.2.1.99"


def renamed_syntax(data: bytes, syntax: str) -> bytes:
    """The same file declaring another transfer syntax of at most the same length."""
    old = b"1.2.840.10008.1.2.1\0"
    return data.replace(old, syntax.encode().ljust(len(old), b"\0")[: len(old)], 1)


def deflate_bomb() -> bytes:
    """256 MB of zeros behind a deflated transfer syntax."""
    film = dataset()
    data = written(film)
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    body = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(256)) + squeeze.flush()
    at = data.index(b"\x02\x00\x10\x00UI")
    meta = data[:at] + b"\x02\x00\x10\x00UI\x16\x00" + DEFLATED.encode()
    return meta + body


def nested(depth: int) -> bytes:
    """Sequences in sequences in sequences, each of undefined length."""
    data = dicom()
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + start * depth + data[at:]


def many_elements(count: int = 20_000) -> bytes:
    """Thousands of empty private elements."""
    data = dicom()
    at = data.index(b"\x10\x00\x10\x00PN")
    empty = b"".join(
        b"\x09\x00" + (0x1000 + n % 0xE000).to_bytes(2, "little") + b"LO\0\0" for n in range(count)
    )
    return data[:at] + empty + data[at:]


def element_beyond_end() -> bytes:
    """A comment that claims to be two gigabytes long."""
    data = dicom()
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + b"\x08\x00\x81\x00UT\0\0\xff\xff\xff\x7f" + data[at:]


def rle_bomb(side: int = 6000) -> bytes:
    """A run-length picture with the right header and a segment that never ends its runs."""
    run = (2).to_bytes(4, "little") + (64).to_bytes(4, "little") + (128).to_bytes(4, "little")
    return encapsulated(run.ljust(64, b"\0") + b"\x81\0" * 50_000, RLE, dataset(Rows=side, Columns=side))


def jpeg_claiming(side: int) -> bytes:
    """A JPEG inside whose frame claims another size than the header."""
    small = (values12() >> 4).astype(np.uint8)
    return encapsulated(films.jpeg_claiming(side, side), JPEG, dataset(small))


def private_sequence() -> bytes:
    """A film with a private sequence of a private sequence."""
    film, inner = dataset(), Dataset()
    inner.private_block(0x0009, "OTHERS", create=True).add_new(0x01, "LO", "x")
    film.private_block(0x0009, "OTHERS", create=True).add_new(0x02, "SQ", [inner])
    return written(film)


def cut(share: int) -> bytes:
    """The first `share` percent of a film."""
    return films.truncated(dicom(), share / 100)


DICOMS: dict[str, tuple[Callable[[], bytes], str]] = {
    "plain": (dicom, ACCEPTED),
    "a program in front": (lambda: written(dataset(), preamble=b"MZ".ljust(128, b"\x90")), ACCEPTED),
    "a PNG in front": (lambda: written(dataset(), preamble=films.png()[:128]), ACCEPTED),
    "a script in its texts": (lambda: dicom(ImageComments="<script>alert(1)</script>"), ACCEPTED),
    "a private sequence": (private_sequence, ACCEPTED),
    "20,000 elements": (many_elements, ACCEPTED),
    "a window of no width": (lambda: dicom(WindowCenter=1, WindowWidth=0), ACCEPTED),
    "an empty LUT": (lambda: dicom(VOILUTSequence=lut([])), ACCEPTED),
    "a LUT shorter than it says": (lambda: dicom(VOILUTSequence=lut([1, 2, 3])), ACCEPTED),
    "an endless rescale": (lambda: dicom(RescaleSlope="1e300", RescaleIntercept="0"), ACCEPTED),
    "an archive behind it": (lambda: dicom() + b"PK\x03\x04" + bytes(100), ACCEPTED),
    "deflated, 256 MB": (deflate_bomb, "dicom_deflated"),
    "an unknown transfer syntax": (lambda: renamed_syntax(dicom(), "1.2.3"), "dicom_transfer_syntax"),
    "sequences 20,000 deep": (lambda: nested(20_000), "broken_header"),
    "an element beyond the end": (element_beyond_end, "dicom_without_picture"),
    "4 thousand million pixels": (lambda: dicom(Rows=65535, Columns=65535), "too_many_pixels"),
    "no rows": (lambda: dicom(Rows=0), "zero_size"),
    "fewer pixels than promised": (lambda: dicom(Rows=3000, Columns=3000), "broken_image"),
    "a run-length bomb": (rle_bomb, "broken_image"),
    "a JPEG of 60 000 pixels a side inside": (lambda: jpeg_claiming(60_000), "broken_image"),
    "JPEG 2000 that is none": (lambda: encapsulated(bytes(99), J2K, dataset()), "broken_image"),
    "a billion frames": (lambda: dicom(NumberOfFrames=10**9), "several_frames"),
    "CT": (lambda: dicom(Modality="CT"), "dicom_modality"),
    "a report": (lambda: dicom(Modality="SR"), "dicom_report"),
    "a document": (lambda: dicom(SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1"), "dicom_document"),
    "a directory": (lambda: dicom(SOPClassUID="1.2.840.10008.1.3.10"), "dicom_directory"),
    "colour": (lambda: dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB"), "dicom_colour"),
    "32 bits": (lambda: dicom(BitsAllocated=32, BitsStored=32, HighBit=31), "dicom_bits"),
    "cut after 5 %": (lambda: cut(5), "broken_image"),
    **{f"cut after {share} %": (partial(cut, share), "broken_image") for share in (20, 50, 80, 99)},
}
