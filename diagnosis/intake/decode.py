"""Ingests an untrusted file or URL: fetched, decoded and de-identified, before anything is stored."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import FilmRefused, NotReady
from diagnosis.intake.decoder_messages import translated
from diagnosis.intake.url_fetch import fetch_url
from diagnosis.models.dicom_fields import DicomFields
from pneumoml.decoding.dicom.record import DicomRecord
from pneumoml.decoding.images import ImageLimits, ImageRefused, encode_png, thumbnail
from pneumoml.decoding.sandbox import DecoderUnavailable, decode_isolated
from pneumoml.imaging.burned_in import looks_burned_in

THUMBNAIL_SIDE = 160


@dataclass(frozen=True)
class DecodedFilm:
    """A film that may be stored: its original, and a re-encoded grey copy without metadata.

    The original is the file as sent; for DICOM it is the de-identified file written here, since the sender's
    is never stored. `facts` are the values of DicomFields.
    """

    original: bytes
    sha256: str
    media_format: str
    width: int
    height: int
    bit_depth: int
    colour_fraction: float
    display_png: bytes
    thumbnail_jpeg: bytes
    facts: dict[str, Any] = field(default_factory=dict)


def ingest(*, data: bytes | None = None, url: str | None = None) -> DecodedFilm:
    """Check one film, given as bytes or as a URL, and make its display copy.

    The untrusted bytes are decoded once, in a child process with memory and time limits. Everything later
    (worker, thumbnails, renderings) uses the display copy.

    Raises FilmRefused (with the decoder's code), UrlRefused, or NotReady where the decoder is busy.
    """
    sent = fetch_url(url) if url is not None else (data or b"")
    try:
        film = decode_isolated(sent, limits=ImageLimits(max_bytes=settings.MAX_UPLOAD_BYTES))
    except ImageRefused as refusal:
        message = translated(refusal.code, refusal.message, refusal.params)
        raise FilmRefused(refusal.code, message, refusal.params) from refusal
    except DecoderUnavailable as trouble:
        raise NotReady(trouble.code, translated(trouble.code, trouble.message, {})) from trouble
    height, width = film.pixels.shape
    original = sent
    facts: dict[str, Any] = {}
    if film.dicom is not None:
        original, facts = _deidentified(film.dicom)
    if not facts.get("burned_in_text") and looks_burned_in(film.pixels):
        facts["burned_in_text"] = DicomFields.BurnedInText.SUSPECTED
    return DecodedFilm(
        original=original,
        sha256=hashlib.sha256(original).hexdigest(),
        media_format=film.format,
        width=width,
        height=height,
        bit_depth=film.bit_depth,
        colour_fraction=film.colour_fraction,
        display_png=encode_png(film.pixels),
        thumbnail_jpeg=thumbnail(film.pixels, THUMBNAIL_SIDE),
        facts=facts,
    )


def _deidentified(record: DicomRecord) -> tuple[bytes, dict[str, Any]]:
    # Imported late: half a second and 40 MB that a process without a DICOM film does not need.
    from diagnosis.intake.deidentify import deidentified_dicom, pseudonym_key, study_fields

    try:
        key = pseudonym_key()
    except OSError as trouble:
        message = _(
            "DICOM films cannot be de-identified at the moment, so none is stored. Tell an administrator."
        )
        raise NotReady("pseudonym_key_missing", message) from trouble
    return deidentified_dicom(record, key), study_fields(record, key)
