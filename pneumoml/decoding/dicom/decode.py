"""Decodes one DICOM film, and refuses what is no single chest radiograph. Runs in the sandbox."""

from __future__ import annotations

import io

# Imported for its effect: pydicom registers its decoders, which a sandboxed child could not import.
import pydicom.pixels.decoders  # noqa: F401
from pydicom import config, dcmread
from pydicom.dataset import Dataset

from pneumoml.decoding.dicom.file_meta import broken_dicom, check_meta
from pneumoml.decoding.dicom.header import KEYWORDS, facts, modality, number, rescale_of, text, window_of
from pneumoml.decoding.dicom.pixels import display_greys, is_inverse, stored_values, through_modality_lut
from pneumoml.decoding.dicom.record import FOR_PROCESSING, MODALITIES, PHOTOMETRIC, DicomRecord
from pneumoml.decoding.film import Film, ImageLimits, check_size
from pneumoml.decoding.headers import ImageRefused

# Invalid values are ignored without a warning, which would quote them.
config.settings.reading_validation_mode = config.IGNORE

_REPORTS = ("SR", "KO", "PR")
_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104."
_KINDS = {
    "CT": "a CT image",
    "MR": "an MR image",
    "US": "an ultrasound image",
    "MG": "a mammogram",
    "NM": "a nuclear medicine image",
    "PT": "a PET image",
    "XA": "an angiogram",
}


def decode_dicom(data: bytes, limits: ImageLimits) -> Film:
    """Decode a single-frame CR, DX, RF or RG film.

    Returns the greys for display and, in `dicom`, the stored values with the facts that may be kept; the
    header's texts are dropped. Raises `ImageRefused`; `MemoryError` passes through.
    """
    syntax = check_meta(data)
    try:
        head = dcmread(io.BytesIO(data), stop_before_pixels=True, specific_tags=list(KEYWORDS))
        check_kind(head)
        _check_picture(head, limits)
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:  # pydicom raises nearly any exception on broken input
        raise broken_dicom() from error
    try:
        return _decode(data, syntax)
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:  # as do the decoders
        raise ImageRefused(
            "broken_image",
            "The picture in the DICOM file is damaged, or cannot be unpacked. Export the film uncompressed, "
            "or as JPEG or PNG.",
        ) from error


def check_kind(head: Dataset) -> None:
    """Raise `ImageRefused` for anything but a plain radiograph made for viewing."""
    kind, sop_class = modality(head), text(head, "SOPClassUID")
    if sop_class.startswith(_DOCUMENT) or kind == "DOC":
        raise ImageRefused(
            "dicom_document",
            "This DICOM file holds a document (a PDF, for example), not a film. Upload the film itself.",
        )
    if kind in _REPORTS:
        raise ImageRefused(
            "dicom_report", "This DICOM file holds a report or notes, not a film. Upload the film itself."
        )
    if kind not in MODALITIES:
        what = _KINDS.get(kind, "something else, or does not say what")
        raise ImageRefused(
            "dicom_modality",
            "The DICOM file holds %(kind)s. Only plain radiographs are read here: modality CR, DX, RF or RG.",
            {"kind": what},
        )
    if sop_class == FOR_PROCESSING or text(head, "PresentationIntentType") == "FOR PROCESSING":
        raise ImageRefused(
            "dicom_for_processing",
            "This is the detector's raw picture, not yet made for viewing. Send the one “for presentation”.",
        )


def _check_picture(head: Dataset, limits: ImageLimits) -> None:
    frames = number(head, "NumberOfFrames")
    if frames is not None and frames > 1:
        raise ImageRefused(
            "several_frames",
            "The file holds %(count)s pictures. Upload one film per file, no series.",
            {"count": int(frames)},
        )
    if "Rows" not in head or "Columns" not in head:
        raise _without_picture()
    check_size(int(head.Columns), int(head.Rows), limits)
    if text(head, "PhotometricInterpretation") not in PHOTOMETRIC or number(head, "SamplesPerPixel") != 1:
        raise ImageRefused(
            "dicom_colour", "The DICOM file holds a colour picture, not the greys of a film. Upload the film."
        )
    allocated, stored = int(head.BitsAllocated), int(head.BitsStored)
    if allocated not in (8, 16) or not 1 < stored <= allocated or int(head.HighBit) != stored - 1:
        raise ImageRefused(
            "dicom_bits",
            "The pixels are stored unusually. Export the film with 8 to 16 bits a pixel, not shifted.",
        )
    if int(head.PixelRepresentation) not in (0, 1):
        raise broken_dicom()


def _without_picture() -> ImageRefused:
    return ImageRefused("dicom_without_picture", "There is no picture in this DICOM file. Upload the film.")


def _decode(data: bytes, syntax: str) -> Film:
    dataset = dcmread(io.BytesIO(data), specific_tags=[*KEYWORDS, "PixelData"])
    if "PixelData" not in dataset:
        raise _without_picture()
    raw = stored_values(dataset, syntax)
    kept = facts(dataset)
    values, lut_bits = through_modality_lut(raw, dataset)
    is_signed = lut_bits == 0 and int(dataset.PixelRepresentation) == 1
    rescale = None if lut_bits else rescale_of(dataset)
    window, function = window_of(dataset)
    pixels, shown_by = display_greys(values, dataset, is_signed=is_signed, rescale=rescale)
    bits = lut_bits or int(dataset.BitsStored)
    record = DicomRecord(
        values=values,
        photometric="MONOCHROME1" if is_inverse(dataset) else "MONOCHROME2",
        bits_stored=bits,
        is_signed=is_signed,
        shown_by=shown_by,
        rescale=rescale,
        window=window,
        window_function=function,
        **kept,
    )
    return Film(
        pixels=pixels,
        width=int(pixels.shape[1]),
        height=int(pixels.shape[0]),
        format="DICOM",
        mode="grey",
        bit_depth=bits,
        dicom=record,
    )
