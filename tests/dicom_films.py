"""DICOM test films made in code: a chest-like radiograph with any element, pixel type and transfer syntax."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.films import chest_like

CR = "1.2.840.10008.5.1.4.1.1.1"


def values12(height: int = 80, width: int = 96, *, seed: int = 0) -> NDArray[np.uint16]:
    """A chest-like film in 12 bits."""
    return np.left_shift(chest_like(height, width, seed=seed).astype(np.uint16), 4)


def dataset(pixels: NDArray[Any] | None = None, *, bits: int | None = None, **elements: Any) -> Dataset:
    """Return a CR film; `elements` are set last, None takes an element out."""
    pixels = values12() if pixels is None else pixels
    film = Dataset()
    film.SOPClassUID, film.SOPInstanceUID = CR, "1.2.3.4.5"
    film.StudyInstanceUID, film.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.1"
    film.Modality, film.PatientID, film.PatientName = "CR", "4711", "Canary^Carla"
    film.PatientBirthDate, film.StudyDate, film.PatientSex = "19600229", "20260228", "F"
    film.ViewPosition, film.PixelSpacing = "PA", [0.2, 0.2]
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
    film.Rows, film.Columns = pixels.shape[-2:]
    film.BitsAllocated = pixels.dtype.itemsize * 8
    film.BitsStored = bits or (12 if pixels.dtype.itemsize == 2 else 8)
    film.HighBit = film.BitsStored - 1
    film.PixelRepresentation = int(pixels.dtype.kind == "i")
    film.PixelData = pixels.tobytes()
    film["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    for keyword, value in elements.items():
        if value is None:
            delattr(film, keyword)
        else:
            setattr(film, keyword, value)
    return film


def written(film: Dataset, syntax: str = ExplicitVRLittleEndian, *, preamble: bytes = bytes(128)) -> bytes:
    """Write a data set whose pixels are already in this transfer syntax."""
    film.file_meta = FileMetaDataset()
    film.file_meta.MediaStorageSOPClassUID = film.get("SOPClassUID", CR)
    film.file_meta.MediaStorageSOPInstanceUID = film.get("SOPInstanceUID", "1.2.3")
    film.file_meta.TransferSyntaxUID = UID(syntax)
    film.preamble = preamble
    buffer = io.BytesIO()
    dcmwrite(buffer, film, enforce_file_format=True)
    return buffer.getvalue()


def dicom(pixels: NDArray[Any] | None = None, *, bits: int | None = None, **elements: Any) -> bytes:
    """A CR film, Explicit VR Little Endian."""
    return written(dataset(pixels, bits=bits, **elements))
