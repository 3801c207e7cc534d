"""Greys of a DICOM film for display (LUTs, windows, MONOCHROME1), and what is kept of its header."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pneumoml.decoding.dicom.record import DicomRecord
from pneumoml.decoding.film import Film
from pneumoml.decoding.images import decode_film
from tests.support.inputs.dicom_films import dicom, lut


def record_of(film: Film) -> DicomRecord:
    assert film.dicom is not None
    return film.dicom


# --- The way to the eye -------------------------------------------------------------------------------


def ramp(dtype: Any = np.uint16) -> NDArray[Any]:
    """0 to 4095 from left to right, 64 rows."""
    return np.tile(np.arange(0, 4096, 64, dtype=dtype), (64, 1))


def shown(pixels: NDArray[Any] | None = None, **elements: Any) -> NDArray[np.uint8]:
    return decode_film(dicom(ramp() if pixels is None else pixels, **elements)).pixels


def test_a_window_maps_its_ends_to_black_and_white() -> None:
    row = shown(WindowCenter=2048, WindowWidth=1024)[0]
    assert (row[16], row[48], row[0], row[-1]) == (0, 255, 0, 255)
    assert abs(int(row[32]) - 127) <= 2


def test_the_first_of_several_windows_is_used() -> None:
    several = shown(WindowCenter=[2048, 100], WindowWidth=[1024, 10])
    assert np.array_equal(several, shown(WindowCenter=2048, WindowWidth=1024))


def test_a_sigmoid_window_is_a_sigmoid() -> None:
    row = shown(WindowCenter=2048, WindowWidth=1024, VOILUTFunction="SIGMOID")[0].astype(int)
    expected = 255 / (1 + np.exp(-4 * (ramp()[0].astype(float) - 2048) / 1024))
    assert np.abs(row - expected).max() <= 1


def test_the_window_counts_in_rescaled_values() -> None:
    plain = shown(WindowCenter=2048, WindowWidth=1024)
    rescaled = shown(WindowCenter=2 * 2048 - 500, WindowWidth=2048, RescaleSlope=2, RescaleIntercept=-500)
    assert int(np.abs(plain.astype(int) - rescaled).max()) <= 1


def test_a_voi_lut_takes_precedence_over_a_window() -> None:
    squares = [min(65535, index * index // 256) for index in range(4096)]
    row = shown(VOILUTSequence=lut(squares), WindowCenter=1, WindowWidth=1)[0].astype(int)
    expected = np.asarray(squares)[ramp()[0]] / 65535 * 255
    assert np.abs(row - expected).max() <= 1


def test_a_voi_lut_with_8_bits_out_of_12_is_not_cut_short() -> None:
    row = shown(VOILUTSequence=lut([index // 16 for index in range(4096)], bits=8))[0]
    assert (row[0], row[-1]) == (0, 252)
    assert np.all(np.diff(row.astype(int)) >= 0)


def test_a_modality_lut_is_applied_and_then_part_of_the_values() -> None:
    film = decode_film(
        dicom(ramp(), ModalityLUTSequence=lut([4095 - index for index in range(4096)], bits=12))
    )
    assert np.array_equal(record_of(film).values, 4095 - ramp())
    assert film.pixels[0, 0] == 255


def test_monochrome1_is_inverted() -> None:
    window: dict[str, Any] = {"WindowCenter": 2048, "WindowWidth": 4096}
    upright, inverse = shown(**window), shown(**window, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(255 - upright, inverse)
    assert np.array_equal(shown(**window, PresentationLUTShape="INVERSE"), inverse)


def test_without_a_window_the_percentiles_are_used_and_padding_is_left_out() -> None:
    pixels = np.tile(np.arange(1000, 1064, dtype=np.uint16), (64, 1))
    pixels[:16] = 4000
    row = shown(pixels, PixelPaddingValue=4000)
    assert (row[0, 0], row[20, 0], row[20, -1]) == (0, 0, 255)
    assert shown(pixels)[20, -1] < 30


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 2048, "WindowWidth": 0},
        {"WindowCenter": 2048, "WindowWidth": -5},
        {"WindowCenter": 2048},
        {"WindowCenter": 2048, "WindowWidth": 100, "VOILUTFunction": "CUBIC"},
    ],
)
def test_an_invalid_window_is_ignored(window: dict[str, Any]) -> None:
    assert np.array_equal(shown(**window), shown())


def test_signed_values_are_decoded_as_signed() -> None:
    signed = (ramp(np.int16) - 2048).astype(np.int16)
    row = shown(signed, bits=12, WindowCenter=0, WindowWidth=4096)[0]
    assert (row[0], row[-1]) == (0, 251)


def test_bits_outside_the_pixels_are_cleared() -> None:
    film = decode_film(dicom(ramp() | np.uint16(0xA000)))
    assert np.array_equal(record_of(film).values, ramp())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
def test_8_to_16_bits_are_decoded(bits: int) -> None:
    pixels = np.tile(np.linspace(0, 2**bits - 1, 64).astype(np.uint8 if bits == 8 else np.uint16), (64, 1))
    film = decode_film(dicom(pixels, bits=bits))
    assert film.bit_depth == bits
    assert (film.pixels.min(), film.pixels.max()) == (0, 255)


# --- What the header says -----------------------------------------------------------------------------


def record(**elements: Any) -> DicomRecord:
    return record_of(decode_film(dicom(**elements)))


@pytest.mark.parametrize(
    ("elements", "years"),
    [
        ({"PatientAge": "007Y"}, 7),
        ({"PatientAge": "018M"}, 1),
        ({"PatientAge": "003W"}, 0),
        ({"PatientAge": "102Y"}, 90),
        ({}, 65),
        ({"StudyDate": "20260301"}, 66),
        ({"PatientBirthDate": ""}, None),
    ],
)
def test_the_age_is_kept_in_years(elements: dict[str, Any], years: int | None) -> None:
    assert record(**elements).age_years == years


def test_a_view_code_replaces_a_missing_view_position() -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "399348003", "SCT", "antero-posterior"
    assert record(ViewPosition="", ViewCodeSequence=[code]).view_position == "AP"
    assert record(ViewPosition="SOMETHING").view_position == ""


def test_detector_spacing_is_distinguished_from_that_in_the_patient() -> None:
    assert record().spacing_mm == (0.2, 0.2)
    assert not record().spacing_at_detector
    at_detector = record(PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1])
    assert at_detector.spacing_at_detector
    assert record(PixelSpacing=[0, -1]).spacing_mm is None
