"""DICOM films: every supported transfer syntax, the greys for display, and refusals with their codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from pneumoml.decoding import sandbox
from pneumoml.decoding.dicom.file_meta import TRANSFER_SYNTAXES
from pneumoml.decoding.dicom.record import DicomRecord
from pneumoml.decoding.film import Film
from pneumoml.decoding.images import ImageRefused, decode_film
from tests.support.inputs import dicom_films, films
from tests.support.inputs.dicom_films import compressed, dataset, dicom, encapsulated, values12, written

CODESTREAMS = Path(__file__).resolve().parents[4] / "tests" / "support" / "inputs" / "codestreams"
SMALL = values12(40, 48)
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
JPEG, JPEG12 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
J2K = "1.2.840.10008.1.2.4.91"


@pytest.fixture(autouse=True, scope="module")
def _no_decoder_left_behind() -> Iterator[None]:
    yield
    sandbox.shut_down()


def record_of(film: Film) -> DicomRecord:
    assert film.dicom is not None
    return film.dicom


def refusal_code(data: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        decode_film(data)
    assert caught.value.message.endswith(".")
    return caught.value.code


# --- Transfer syntaxes --------------------------------------------------------------------------------


def ready_made(name: str, syntax: str) -> bytes:
    return encapsulated((CODESTREAMS / name).read_bytes(), syntax, dataset(SMALL))


def jpeg_lossless_sv1() -> bytes:
    """pydicom's own sample, called a radiograph."""
    film = dcmread(str(get_testdata_file("JPEG-LL.dcm")))
    film.Modality = "CR"
    return written(film, str(film.file_meta.TransferSyntaxUID))


def jpeg_8bit() -> bytes:
    film = dataset((SMALL >> 4).astype(np.uint8))
    return encapsulated(films.jpeg((SMALL >> 4).astype(np.uint8)), JPEG, film)


# Transfer syntax → (how to make a film in it, how far its values may be from SMALL; None: another film).
SYNTAXES: dict[str, tuple[Callable[[], bytes], int | None]] = {
    IMPLICIT: (lambda: written(dataset(SMALL), IMPLICIT), 0),
    EXPLICIT: (lambda: written(dataset(SMALL)), 0),
    "1.2.840.10008.1.2.2": (lambda: dicom_films.big_endian(SMALL), 0),
    JPEG: (jpeg_8bit, None),
    JPEG12: (lambda: ready_made("jpeg12.jpg", JPEG12), 40),
    "1.2.840.10008.1.2.4.57": (lambda: ready_made("jpegll.jpg", "1.2.840.10008.1.2.4.57"), 0),
    "1.2.840.10008.1.2.4.70": (jpeg_lossless_sv1, None),
    "1.2.840.10008.1.2.4.80": (lambda: ready_made("jpegls.jls", "1.2.840.10008.1.2.4.80"), 0),
    "1.2.840.10008.1.2.4.81": (lambda: ready_made("jpegls-near.jls", "1.2.840.10008.1.2.4.81"), 2),
    "1.2.840.10008.1.2.4.90": (lambda: compressed(SMALL, "1.2.840.10008.1.2.4.90"), 0),
    J2K: (lambda: compressed(SMALL, J2K, j2k_cr=[4]), 300),
    "1.2.840.10008.1.2.4.201": (lambda: ready_made("htj2k.j2c", "1.2.840.10008.1.2.4.201"), 0),
    "1.2.840.10008.1.2.4.202": (lambda: ready_made("htj2k.j2c", "1.2.840.10008.1.2.4.202"), 0),
    "1.2.840.10008.1.2.4.203": (lambda: ready_made("htj2k.j2c", "1.2.840.10008.1.2.4.203"), 0),
    "1.2.840.10008.1.2.5": (lambda: compressed(SMALL, "1.2.840.10008.1.2.5"), 0),
}


def test_every_transfer_syntax_on_the_list_is_tried() -> None:
    assert set(SYNTAXES) == set(TRANSFER_SYNTAXES)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=list(TRANSFER_SYNTAXES.values()))
def test_a_film_in_every_transfer_syntax_is_decoded_in_the_sandbox(syntax: str) -> None:
    make, distance = SYNTAXES[syntax]
    film = sandbox.decode_isolated(make())
    values = record_of(film).values
    assert film.format == "DICOM"
    assert film.pixels.std() > 5
    if distance is not None:
        assert int(np.abs(values.astype(int) - SMALL).max()) <= distance
    assert film.pixels.shape == values.shape


def test_an_8_bit_jpeg_keeps_its_greys() -> None:
    values = record_of(decode_film(jpeg_8bit())).values
    assert float(np.abs(values.astype(int) - (SMALL >> 4)).mean()) < 2


def test_pydicom_s_jpeg_with_12_bits_has_the_values_that_its_makers_publish() -> None:
    film = dcmread(str(get_testdata_file("JPGExtended.dcm")))
    film.Modality = "CR"
    values = record_of(decode_film(written(film, JPEG12))).values
    assert (values[420, 140], values[230, 120]) == (244, 95)


# --- Refusals -----------------------------------------------------------------------------------------


def relabelled(syntax: str) -> bytes:
    return encapsulated(bytes(64), syntax, dataset(SMALL))


def document() -> bytes:
    film = dataset(SMALL, Modality="DOC", SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", PixelData=None)
    film.EncapsulatedDocument = b"%PDF-1.7"
    return written(film)


def lying_codestream(side: int) -> bytes:
    """A JPEG 2000 picture whose codestream claims another size than the header."""
    codestream = bytearray((CODESTREAMS / "htj2k.j2c").read_bytes())
    codestream[8:16] = side.to_bytes(4, "big") * 2
    return encapsulated(bytes(codestream), "1.2.840.10008.1.2.4.201", dataset(SMALL))


def nested(depth: int) -> bytes:
    """Sequences in sequences in sequences, each of undefined length."""
    data = dicom(SMALL)
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + start * depth + data[at:]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "CT": (lambda: dicom(Modality="CT"), "dicom_modality"),
    "MR": (lambda: dicom(Modality="MR"), "dicom_modality"),
    "no modality": (lambda: dicom(Modality=None), "dicom_modality"),
    "report": (lambda: dicom(Modality="SR"), "dicom_report"),
    "PDF": (document, "dicom_document"),
    "several frames": (
        lambda: dicom(np.stack([SMALL, SMALL]).reshape(80, 48), NumberOfFrames=2, Rows=40),
        "several_frames",
    ),
    "for processing": (lambda: dicom(PresentationIntentType="FOR PROCESSING"), "dicom_for_processing"),
    "raw by its class": (lambda: dicom(SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1.1"), "dicom_for_processing"),
    "colour": (lambda: dicom(PhotometricInterpretation="RGB", SamplesPerPixel=3), "dicom_colour"),
    "palette": (lambda: dicom(PhotometricInterpretation="PALETTE COLOR"), "dicom_colour"),
    "one bit": (lambda: dicom(BitsAllocated=1, BitsStored=1, HighBit=0), "dicom_bits"),
    "32 bits": (lambda: dicom(BitsAllocated=32, BitsStored=32, HighBit=31), "dicom_bits"),
    "shifted bits": (lambda: dicom(HighBit=15), "dicom_bits"),
    "no picture": (lambda: dicom(PixelData=None), "dicom_without_picture"),
    "no size": (lambda: dicom(Rows=None), "dicom_without_picture"),
    "no pixels": (lambda: dicom(Rows=0), "zero_size"),
    "tiny": (lambda: dicom(SMALL[:8, :8].copy()), "too_small"),
    "4 thousand million pixels": (lambda: dicom(Rows=65535, Columns=65535), "too_many_pixels"),
    "fewer pixels than promised": (lambda: dicom(Rows=3000, Columns=3000), "broken_image"),
    "deflated": (lambda: Path(str(get_testdata_file("image_dfl.dcm"))).read_bytes(), "dicom_deflated"),
    "MPEG-4": (lambda: relabelled("1.2.840.10008.1.2.4.102"), "dicom_transfer_syntax"),
    "JPIP": (lambda: relabelled("1.2.840.10008.1.2.4.94"), "dicom_transfer_syntax"),
    "directory": (lambda: dicom(SOPClassUID="1.2.840.10008.1.3.10"), "dicom_directory"),
    "JPEG that is none": (lambda: encapsulated(bytes(64), JPEG, dataset(SMALL)), "broken_image"),
    "JPEG of another size": (
        lambda: encapsulated(
            films.jpeg(films.chest_like(64, 64)), JPEG, dataset((SMALL >> 4).astype(np.uint8))
        ),
        "broken_image",
    ),
    "codestream of 60 000 pixels a side": (lambda: lying_codestream(60_000), "broken_image"),
    "RLE that is none": (
        lambda: encapsulated(bytes(64), "1.2.840.10008.1.2.5", dataset(SMALL)),
        "broken_image",
    ),
    "nested sequences": (lambda: nested(20_000), "broken_header"),
    "cut in the header": (lambda: dicom()[:400], "dicom_without_picture"),
    "cut in the meta": (lambda: dicom()[:150], "broken_header"),
    "signature alone": (lambda: dicom()[:132], "dicom_transfer_syntax"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_but_a_film_is_refused_with_its_code(name: str) -> None:
    make, code = REFUSED[name]
    assert refusal_code(make()) == code


def test_a_duplicate_transfer_syntax_is_refused() -> None:
    data = dicom()
    at = data.index(b"\x02\x00\x10\x00UI")
    length = 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    deflated = b"\x02\x00\x10\x00UI\x16\x00" + b"1.2.840.10008.1.2.1.99"
    assert refusal_code(data[: at + length] + deflated + data[at + length :]) == "broken_header"


def test_a_deflated_file_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the dataset was read")

    monkeypatch.setattr("pneumoml.decoding.dicom.decode.dcmread", never)
    assert refusal_code(REFUSED["deflated"][0]()) == "dicom_deflated"


def test_a_codestream_of_another_size_reaches_no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[str] = []
    monkeypatch.setattr("pneumoml.decoding.dicom.pixels.get_decoder", reached.append)
    assert refusal_code(lying_codestream(60_000)) == "broken_image"
    assert reached == []


def test_the_preamble_is_ignored_and_not_kept() -> None:
    film = decode_film(written(dataset(SMALL), preamble=b"MZ".ljust(128, b"\x90")))
    assert film.format == "DICOM"


# --- Films and files of others ------------------------------------------------------------------------


def bundled() -> list[Path]:
    """Every file that pydicom and pydicom-data bring along."""
    import data_store  # type: ignore[import-untyped]
    import pydicom.data

    folders = [Path(pydicom.data.__file__).parent / "test_files", Path(data_store.__file__).parent / "data"]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def test_every_bundled_file_is_a_film_or_a_declared_refusal() -> None:
    outcomes: dict[str, int] = {}
    for path in bundled():
        try:
            outcome = decode_film(path.read_bytes()).format
        except ImageRefused as refused:
            outcome = refused.code
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert outcomes["DICOM"] == 8
    assert sum(outcomes.values()) > 150
    assert set(outcomes) == {
        "DICOM",
        "dicom_deflated",
        "dicom_directory",
        "dicom_modality",
        "dicom_report",
        "dicom_transfer_syntax",
        "not_an_image",
        "too_small",
        "unsupported_format",
    }


def test_a_real_radiograph_is_shown_with_dark_lungs() -> None:
    path = Path(str(get_testdata_file("RG1_UNCR.dcm")))
    film = sandbox.decode_isolated(path.read_bytes())
    facts = record_of(film)
    assert film.pixels.shape == (1955, 1841)
    assert (facts.photometric, facts.view_position, facts.sex, facts.age_years) == (
        "MONOCHROME1",
        "PA",
        "F",
        64,
    )
    spine, lung = film.pixels[500:1400, 870:970].mean(), film.pixels[500:1100, 350:600].mean()
    assert spine > lung + 30


def test_lossless_compression_of_the_same_radiograph_gives_the_same_film() -> None:
    plain, packed = (
        decode_film(Path(str(get_testdata_file(name))).read_bytes()).pixels
        for name in ("RG1_UNCR.dcm", "RG1_J2KR.dcm")
    )
    assert np.array_equal(plain, packed)


def test_dicom_damaged_anywhere_is_refused_or_decoded() -> None:
    whole = dicom(SMALL)
    outcomes = set()
    for at in range(128, len(whole) - 1, 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        try:
            outcomes.add(decode_film(bytes(damaged)).format)
        except ImageRefused as refused:
            outcomes.add(refused.code)
    assert "DICOM" in outcomes
    assert outcomes <= {
        "DICOM", "broken_header", "broken_image", "dicom_bits", "dicom_colour", "dicom_modality",
        "dicom_transfer_syntax", "dicom_without_picture", "not_an_image", "several_frames", "too_many_pixels",
    }  # fmt: skip
