"""DICOM films are de-identified before anything is stored: planted texts are found nowhere afterwards."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pydicom import dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.errors import Refused
from diagnosis.intake.deidentify import METHOD, deidentified_dicom, pseudonym_of
from diagnosis.intake.submission import submit_study
from diagnosis.models import Study
from pneumoml.decoding import sandbox
from pneumoml.decoding.images import decode_film
from tests.support.api import client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs import dicom_films
from tests.support.inputs.films import PNG_SIGNATURE

CANARY = "CanaryBird"
BORN, ROOT, NUMBER = "19331224", "1.2.777.1234567", "7654321"
PLANTED = [CANARY, CANARY.upper(), BORN, ROOT, NUMBER]
TEXTS = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
OTHERS = {"DA": BORN, "DT": BORN + "101010", "UI": ROOT + ".1", "IS": NUMBER, "CS": CANARY.upper()}
# Elements that decide whether the film is read at all, or that are numbers of the picture.
NEEDED = {
    "SOPClassUID",
    "Modality",
    "PhotometricInterpretation",
    "PresentationIntentType",
    "PatientSex",
    "PatientAge",
    "NumberOfFrames",
    "SpecificCharacterSet",
    "PatientBirthDate",
    "StudyDate",
}


@pytest.fixture(autouse=True, scope="module")
def _no_decoder_left_behind() -> Iterator[None]:
    yield
    sandbox.shut_down()


def planted(**elements: object) -> bytes:
    """A CR film with a canary in every text, code, date, UID and number that DICOM knows, and elsewhere."""
    film = dicom_films.dataset()
    for tag, (kind, _, _, retired, keyword) in DicomDictionary.items():
        if retired or keyword in NEEDED or tag < 0x00080000 or tag >= 0x60000000:
            continue
        if kind in TEXTS:
            film.add_new(tag, kind, CANARY)
        elif kind in OTHERS:
            film.add_new(tag, kind, OTHERS[kind])
    film.PatientBirthDate, film.PatientSex, film.StudyDate = BORN, "F", "20010101"
    film.StudyInstanceUID, film.SeriesInstanceUID, film.SOPInstanceUID = (f"{ROOT}.{n}" for n in (2, 3, 4))
    _elsewhere(film)
    for keyword, value in elements.items():
        setattr(film, keyword, value)
    return _with_planted_meta(film)


def _elsewhere(film: Dataset) -> None:
    nested = Dataset()
    nested.PatientName = nested.ImageComments = CANARY
    nested.ReferencedPatientSequence = Sequence([Dataset()])
    nested.ReferencedPatientSequence[0].PatientID = CANARY
    film.OriginalAttributesSequence = Sequence([nested])
    film.RequestAttributesSequence = Sequence([nested])
    private = film.private_block(0x0009, CANARY, create=True)
    private.add_new(0x01, "LO", CANARY)
    private.add_new(0x02, "UN", CANARY.encode())
    private.add_new(0x03, "SQ", Sequence([nested]))
    film.add_new(0x60000022, "LO", CANARY)
    film.add_new(0x60003000, "OW", CANARY.encode() * 10)
    film.add_new(0xFFFCFFFC, "OB", CANARY.encode())
    # Beyond the last pixel, and in bits that are no pixels.
    film.PixelData = bytes(film.PixelData) + CANARY.encode() * 2


def _with_planted_meta(film: Dataset) -> bytes:
    film.file_meta = FileMetaDataset()
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
    film.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
    film.file_meta.SourceApplicationEntityTitle = CANARY
    film.file_meta.PrivateInformationCreatorUID = UID(ROOT + ".9")
    film.file_meta.PrivateInformation = CANARY.encode()
    film.preamble = CANARY.encode().ljust(128, b"\0")
    buffer = io.BytesIO()
    dcmwrite(buffer, film, enforce_file_format=True)
    return buffer.getvalue()


def everything_kept() -> Iterator[tuple[str, str]]:
    """Yield (where, text) of every row of the database and of every file of the installation."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield f"table {table}", repr(row)
    for folder in (settings.MEDIA_ROOT, settings.VAR_DIR):
        for path in Path(folder).rglob("*"):
            if path.is_file():
                yield path.name, path.read_bytes().decode("latin-1")


def found_in(kept: list[tuple[str, str]]) -> list[str]:
    return [f"{where}: {word}" for where, text in kept for word in PLANTED if word in text]


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_no_planted_text_is_found_after_a_film_was_ingested(
    cast: Cast, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    data = planted()
    assert len([word for word in PLANTED if word.encode() in data]) == len(PLANTED)
    client = client_of(cast.alice)
    with caplog.at_level(logging.DEBUG):
        answer = client.post(
            "/api/v1/studies/", {"file": film_upload(data, name=f"{CANARY}.dcm")}, format="multipart"
        )
        assert answer.status_code == 201, answer.content
        links = answer.json()["links"]
        study = client.get(links["self"])
        original = client.get(links["original"])
    downloaded = b"".join(original.streaming_content)  # type: ignore[attr-defined]
    assert original["Content-Type"] == "application/dicom"
    sandbox.shut_down()  # flushes everything that the decoder logs
    said = capfd.readouterr()
    kept = [*everything_kept(), ("log", caplog.text), ("output", said.out + said.err)]
    kept += [("answer", study.content.decode()), ("download", downloaded.decode("latin-1"))]
    assert {where.split(" ")[0] for where, _ in kept} >= {"table", "original.dicom", "display.png", "log"}
    assert found_in(kept) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Modality": "CT"}, "dicom_modality"),
        ({"PhotometricInterpretation": CANARY.upper()}, "dicom_colour"),
        ({"BitsStored": 40}, "dicom_bits"),
        ({"Rows": 4000}, "broken_image"),
    ],
)
def test_no_planted_text_is_in_a_refusal(
    cast: Cast,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    elements: dict[str, object],
    code: str,
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused) as caught:
        submit_study(actor=cast.alice, project=cast.project, data=planted(**elements))
    assert caught.value.code == code
    sandbox.shut_down()
    said = capfd.readouterr()
    kept = [*everything_kept(), ("log", caplog.text), ("output", said.out + said.err)]
    assert found_in([*kept, ("sentence", caught.value.message)]) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_the_study_keeps_coded_facts_and_a_pseudonym(cast: Cast) -> None:
    data = dicom_films.dicom(
        ViewPosition="AP",
        ImageLaterality="L",
        PatientAge="047Y",
        ImagerPixelSpacing=[0.1, 0.15],
        PixelSpacing=None,
    )
    study = submit_study(actor=cast.alice, project=cast.project, data=data).study
    study = Study.objects.get(pk=study.pk)
    assert (study.media_format, study.modality, study.bit_depth) == ("DICOM", "CR", 12)
    assert (study.view_position, study.laterality, study.sex, study.age_years) == ("AP", "L", "F", 47)
    assert (study.row_spacing_mm, study.column_spacing_mm, study.spacing_at_detector) == (0.1, 0.15, True)
    assert study.pseudonym.startswith("P-")
    assert study.deidentification == METHOD


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_two_films_of_one_patient_share_the_pseudonym_and_another_s_is_another(cast: Cast) -> None:
    def pseudonym(seed: int, **elements: Any) -> str:
        pixels = dicom_films.values12(seed=seed)
        data = dicom_films.dicom(pixels, SOPInstanceUID=f"1.2.{seed}", **elements)
        return submit_study(actor=cast.alice, project=cast.project, data=data).study.pseudonym

    assert pseudonym(1) == pseudonym(2)
    assert pseudonym(3, PatientID="4712") != pseudonym(4)
    assert pseudonym(5, PatientID="", PatientName="") == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_a_film_sent_again_is_found_whatever_else_its_header_says(cast: Cast) -> None:
    first = submit_study(actor=cast.alice, project=cast.project, data=dicom_films.dicom())
    again = submit_study(
        actor=cast.alice, project=cast.project, data=dicom_films.dicom(InstitutionName="Elsewhere")
    )
    assert (first.created, again.created) == (True, False)
    assert again.study == first.study


def test_the_kept_file_is_a_film_with_the_same_pixels() -> None:
    film = decode_film(
        dicom_films.dicom(PhotometricInterpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=3000)
    )
    assert film.dicom is not None
    kept = deidentified_dicom(film.dicom, b"key")
    again = decode_film(kept)
    assert again.dicom is not None
    assert np.array_equal(again.pixels, film.pixels)
    assert np.array_equal(again.dicom.values, film.dicom.values)
    assert (again.dicom.view_position, again.dicom.age_years) == ("PA", 65)


def test_the_kept_file_states_how_it_was_de_identified() -> None:
    record = decode_film(dicom_films.dicom()).dicom
    assert record is not None
    kept = dcmread(io.BytesIO(deidentified_dicom(record, b"key")))
    assert kept.PatientIdentityRemoved == "YES"
    assert METHOD in kept.DeidentificationMethod
    assert [code.CodeValue for code in kept.DeidentificationMethodCodeSequence] == ["113100", "113108"]
    assert kept.PatientID == pseudonym_of(record, b"key")
    assert kept.PatientAge == "065Y"
    assert kept.SOPInstanceUID.startswith("2.25.")
    assert all(keyword_for_tag(element.tag) for element in kept)


def test_another_key_gives_other_pseudonyms_and_uids() -> None:
    record = decode_film(dicom_films.dicom()).dicom
    assert record is not None
    one, other = (dcmread(io.BytesIO(deidentified_dicom(record, key))) for key in (b"one", b"other"))
    for keyword in ("PatientID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        assert one[keyword].value != other[keyword].value


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_the_display_copy_holds_pixels_and_nothing_else(cast: Cast) -> None:
    study = submit_study(actor=cast.alice, project=cast.project, data=planted()).study
    with study.display.open("rb") as file:
        data = file.read()
    position, names = len(PNG_SIGNATURE), set()
    while position < len(data):
        names.add(data[position + 4 : position + 8])
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    assert names == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.django_db
@pytest.mark.usefixtures("active_model")
def test_the_study_page_shows_what_was_kept(cast: Cast, client: Client) -> None:
    data = dicom_films.dicom(BurnedInAnnotation="YES", PatientAge="102Y")
    study = submit_study(actor=cast.alice, project=cast.project, data=data).study
    client.force_login(cast.rania)
    page = " ".join(client.get(study.get_absolute_url()).content.decode().split())
    for words in (
        "view PA",
        "F, 90 or more years",
        study.pseudonym,
        "0.2 × 0.2 mm",
        METHOD,
        "has not checked it yet",
    ):
        assert words in page, words
