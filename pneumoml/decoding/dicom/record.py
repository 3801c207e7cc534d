"""What is kept of a DICOM film's header: coded values, numbers and digests, never the sender's texts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MODALITIES = {
    "CR": "computed radiography",
    "DX": "digital radiography",
    "RF": "radiofluoroscopy",
    "RG": "film radiography",
}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX for presentation",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-ray radiofluoroscopic",
    SECONDARY_CAPTURE: "secondary capture",
}
FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
VIEW_POSITIONS = ("PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO")
LATERALITIES = ("L", "R", "B", "U")
SEXES = ("F", "M", "O")
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2")
WINDOW_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
SHOWN_BY = ("voi_lut", "window", "percentiles")
BURNED_IN = ("YES", "NO", "")
OLDEST_AGE = 90


@dataclass(frozen=True, eq=False)
class DicomRecord:
    """The facts of one film, each of a closed set or a number: "" or None where the file did not say.

    `values` are the stored values as uint16 (height, width), two's complement where `is_signed`, already
    through the modality LUT where the file had one; `rescale` is (slope, intercept), `window` (centre,
    width). `spacing_mm` is (between rows, between columns); `spacing_at_detector` tells that it was measured
    there and not in the patient. `age_years` is cut off at OLDEST_AGE, which then means "or older".

    The digests are SHA-256, hex, of the sender's patient identity and UIDs. They leave the sandbox in
    place of the texts, and are used only to derive keyed pseudonyms (see
    diagnosis/intake/deidentify.py).
    """

    values: NDArray[np.uint16] = field(repr=False)
    sop_class: str
    modality: str
    photometric: str
    bits_stored: int
    is_signed: bool
    shown_by: str
    rescale: tuple[float, float] | None
    window: tuple[float, float] | None
    window_function: str
    view_position: str
    laterality: str
    sex: str
    age_years: int | None
    spacing_mm: tuple[float, float] | None
    spacing_at_detector: bool
    is_lossy: bool
    burned_in: str
    patient_digest: str = field(repr=False)
    study_digest: str = field(repr=False)
    series_digest: str = field(repr=False)
    instance_digest: str = field(repr=False)
