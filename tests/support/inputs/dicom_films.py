"""DICOM test films made in code: a chest-like radiograph with any element, pixel type and transfer syntax."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from tests.support.inputs.films import chest_like

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


def encapsulated(codestream: bytes, syntax: str, film: Dataset) -> bytes:
    """Write `film` with a ready-made compressed picture."""
    film.PixelData = encapsulate([codestream])
    film["PixelData"].is_undefined_length = True
    film["PixelData"].VR = "OB"
    return written(film, syntax)


def big_endian(pixels: NDArray[np.uint16]) -> bytes:
    """The film in Explicit VR Big Endian."""
    film = dataset(pixels)
    film.PixelData = pixels.astype(">u2").tobytes()
    return written(film, ExplicitVRBigEndian)


def compressed(pixels: NDArray[np.uint16], syntax: str, **options: Any) -> bytes:
    """The film in a transfer syntax that pydicom and its plugins can write."""
    film = dataset(pixels)
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.compress(UID(syntax), generate_instance_uid=False, **options)
    return written(film, syntax)


def lut(entries: list[int], *, first: int = 0, bits: int = 16) -> Sequence:
    """A modality or VOI LUT sequence."""
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries) % 65536, first, bits])
    item.add_new(0x00283006, "US", entries)
    return Sequence([item])
