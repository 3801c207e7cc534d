"""Reduces the header of a DICOM film to what may be kept: see `record`."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from pneumoml.decoding.dicom.record import (
    BURNED_IN,
    LATERALITIES,
    MODALITIES,
    OLDEST_AGE,
    SECONDARY_CAPTURE,
    SEXES,
    SOP_CLASSES,
    VIEW_POSITIONS,
    WINDOW_FUNCTIONS,
)

# The only elements that are read besides the pixels.
KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "PresentationIntentType",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PlanarConfiguration",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "PresentationLUTShape",
    "LossyImageCompression",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "ViewPosition",
    "ViewCodeSequence",
    "Laterality",
    "ImageLaterality",
    "BurnedInAnnotation",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyDate",
)
# CID 4010 of PS3.16, in SNOMED CT and in the older SNOMED codes of the same meaning.
_VIEW_CODES = {
    "399348003": "AP",
    "R-10206": "AP",
    "272479007": "PA",
    "R-10214": "PA",
    "399173006": "LL",
    "R-10236": "LL",
    "399198007": "RL",
    "R-10232": "RL",
}
_AGE = re.compile(r"(\d{3})([DWMY])")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_UNITS = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
_MAX_MM = 10.0


def text(head: Dataset, keyword: str) -> str:
    """Return a coded string in capitals, "" where it is missing or more than a code."""
    value = head.get(keyword)
    return value.strip().upper() if isinstance(value, str) and len(value) <= 64 else ""


def number(head: Dataset, keyword: str) -> float | None:
    """Return the first number of an element; None where it is missing or no finite number."""
    try:
        return _finite(_first(head.get(keyword)))
    except (TypeError, ValueError, OverflowError):
        return None


def _first(value: Any) -> Any:
    return value[0] if hasattr(value, "__getitem__") and not isinstance(value, str | bytes) else value


def _finite(value: Any) -> float | None:
    result = float(value)
    return result if math.isfinite(result) else None


def one_of(value: str, allowed: tuple[str, ...]) -> str:
    """Return the value if it is one of these, else ""."""
    return value if value in allowed else ""


def facts(head: Dataset) -> dict[str, Any]:
    """Return the fields of `DicomRecord` that come from the header alone (not the pixels)."""
    return {
        "sop_class": text(head, "SOPClassUID")
        if text(head, "SOPClassUID") in SOP_CLASSES
        else SECONDARY_CAPTURE,
        "modality": one_of(modality(head), tuple(MODALITIES)),
        "view_position": _view_position(head),
        "laterality": one_of(text(head, "ImageLaterality") or text(head, "Laterality"), LATERALITIES),
        "sex": one_of(text(head, "PatientSex"), SEXES),
        "age_years": age_years(head),
        **_spacing(head),
        "is_lossy": text(head, "LossyImageCompression") == "01",
        "burned_in": one_of(text(head, "BurnedInAnnotation"), BURNED_IN),
        **_digests(head),
    }


def modality(head: Dataset) -> str:
    """Return the modality; DR, which some devices write, is DX."""
    value = text(head, "Modality")
    return "DX" if value == "DR" else value


def window_of(head: Dataset) -> tuple[tuple[float, float] | None, str]:
    """Return the first usable window as (centre, width) and its function; (None, "LINEAR") without one."""
    function = text(head, "VOILUTFunction") or "LINEAR"
    centre, width = number(head, "WindowCenter"), number(head, "WindowWidth")
    narrowest = 1.0 if function == "LINEAR" else 1e-9
    if centre is None or width is None or width < narrowest or function not in WINDOW_FUNCTIONS:
        return None, "LINEAR"
    return (centre, width), function


def rescale_of(head: Dataset) -> tuple[float, float] | None:
    """Return (slope, intercept); None without a valid one that changes values."""
    slope, intercept = number(head, "RescaleSlope"), number(head, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0 or (slope, intercept) == (1.0, 0.0):
        return None
    return slope, intercept


def age_years(head: Dataset) -> int | None:
    """Return the age in full years, from the age itself or from birth and study date; None if unknown."""
    years = _stated_age(text(head, "PatientAge"))
    if years is None:
        years = _age_between(text(head, "PatientBirthDate"), text(head, "StudyDate"))
    return min(years, OLDEST_AGE) if years is not None and 0 <= years < 130 else None


def _stated_age(value: str) -> int | None:
    match = _AGE.fullmatch(value)
    return int(int(match[1]) / _UNITS[match[2]]) if match else None


def _age_between(born: str, studied: str) -> int | None:
    first, then = _DATE.fullmatch(born), _DATE.fullmatch(studied)
    if first is None or then is None:
        return None
    had_birthday = then.groups()[1:] >= first.groups()[1:]
    return int(then[1]) - int(first[1]) - (0 if had_birthday else 1)


def _view_position(head: Dataset) -> str:
    position = one_of(text(head, "ViewPosition"), VIEW_POSITIONS)
    codes = head.get("ViewCodeSequence")
    if position or not codes:
        return position
    return _VIEW_CODES.get(text(codes[0], "CodeValue"), "")


def _spacing(head: Dataset) -> dict[str, Any]:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = _two_lengths(head.get(keyword))
        if spacing is not None:
            return {"spacing_mm": spacing, "spacing_at_detector": keyword != "PixelSpacing"}
    return {"spacing_mm": None, "spacing_at_detector": False}


def _two_lengths(value: Any) -> tuple[float, float] | None:
    try:
        rows, columns = (float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return (rows, columns) if 0 < rows <= _MAX_MM and 0 < columns <= _MAX_MM else None


def _digests(head: Dataset) -> dict[str, str]:
    """Return SHA-256 of the identity and the UIDs as stored, undecoded; "" where there is none."""
    patient = [raw(head, "IssuerOfPatientID"), raw(head, "PatientID")]
    if not patient[1]:
        name = raw(head, "PatientName")
        patient = [name, raw(head, "PatientBirthDate")] if name else []
    return {
        "patient_digest": _digest(*patient),
        "study_digest": _digest(raw(head, "StudyInstanceUID")),
        "series_digest": _digest(raw(head, "SeriesInstanceUID")),
        "instance_digest": _digest(raw(head, "SOPInstanceUID")),
    }


def raw(head: Dataset, keyword: str) -> bytes:
    """Return an element's bytes without padding, not decoded to text."""
    tag = Tag(keyword)
    if tag not in head:
        return b""
    value = head.get_item(tag).value
    content = value if isinstance(value, bytes) else str(value or "").encode()
    return content.strip(b" \0")


def _digest(*parts: bytes) -> str:
    if not any(parts):
        return ""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
