"""Serialises a DICOM record in the sandbox's child; validates it in the parent."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import numpy as np

from pneumoml.decoding.dicom.record import (
    BURNED_IN,
    LATERALITIES,
    MODALITIES,
    OLDEST_AGE,
    PHOTOMETRIC,
    SEXES,
    SHOWN_BY,
    SOP_CLASSES,
    VIEW_POSITIONS,
    WINDOW_FUNCTIONS,
    DicomRecord,
)

_CLOSED: dict[str, tuple[str, ...]] = {
    "sop_class": tuple(SOP_CLASSES),
    "modality": tuple(MODALITIES),
    "photometric": PHOTOMETRIC,
    "shown_by": SHOWN_BY,
    "window_function": WINDOW_FUNCTIONS,
    "view_position": ("", *VIEW_POSITIONS),
    "laterality": ("", *LATERALITIES),
    "sex": ("", *SEXES),
    "burned_in": BURNED_IN,
}
_PAIRS = ("rescale", "window", "spacing_mm")
_FLAGS = ("is_signed", "spacing_at_detector", "is_lossy")
_DIGESTS = ("patient_digest", "study_digest", "series_digest", "instance_digest")
_DIGEST = re.compile(r"([0-9a-f]{64})?")


def record_facts(record: DicomRecord | None) -> dict[str, Any] | None:
    """Return everything but the values, as JSON takes it."""
    if record is None:
        return None
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name != "values"}


def record_values(record: DicomRecord | None) -> bytes:
    """Return the stored values as uint16, little endian; nothing without a record."""
    return b"" if record is None else record.values.astype("<u2", copy=False).tobytes()


def record_from(facts: dict[str, Any], values: bytes | bytearray, shape: tuple[int, int]) -> DicomRecord:
    """Build the record again from the child's reply.

    Raises ValueError, TypeError or KeyError where a value is outside its closed set or range.
    """
    parts: dict[str, Any] = {
        **{name: _one_of(facts[name], allowed) for name, allowed in _CLOSED.items()},
        **{name: _pair(facts[name]) for name in _PAIRS},
        **{name: bool(facts[name]) for name in _FLAGS},
        **{name: _digest(facts[name]) for name in _DIGESTS},
    }
    return DicomRecord(
        values=np.frombuffer(values, "<u2").astype(np.uint16, copy=False).reshape(shape),
        bits_stored=_between(facts["bits_stored"], 2, 16),
        age_years=None if facts["age_years"] is None else _between(facts["age_years"], 0, OLDEST_AGE),
        **parts,
    )


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError("not of the closed set")
    return str(value)


def _between(value: Any, low: int, high: int) -> int:
    if not low <= int(value) <= high:
        raise ValueError("out of range")
    return int(value)


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    first, second = value
    return float(first), float(second)


def _digest(value: Any) -> str:
    if not _DIGEST.fullmatch(value):
        raise ValueError("no digest")
    return str(value)
