"""Decodes lossy 12-bit JPEG by GDCM, because pydicom needs a GPL library for it."""

from __future__ import annotations

import gdcm  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"


def is_jpeg12(dataset: Dataset, syntax: str) -> bool:
    """Return whether this is JPEG Extended with more than 8 bits."""
    return syntax == JPEG_EXTENDED and int(dataset.BitsStored) > 8


def decode_jpeg12(dataset: Dataset) -> NDArray[np.uint16]:
    """Decode the one frame to uint16 (H, W). Raises ValueError where GDCM did not fill it."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(get_frame(dataset.PixelData, 0, number_of_frames=1))
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    bits = int(dataset.BitsStored)
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(JPEG_EXTENDED)))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits, bits - 1, int(dataset.PixelRepresentation)))
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM returns bytes as text
    return np.frombuffer(buffer, "<u2").reshape(dataset.Rows, dataset.Columns)
