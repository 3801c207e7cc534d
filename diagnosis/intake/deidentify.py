"""De-identifies DICOM films: keyed pseudonyms, and a new file in place of the sender's.

PS3.15 Annex E by construction: nothing is removed from the sender's dataset; a new one is written with only
what `DicomRecord` holds. Reasons and losses: docs/decisions/0005-dicom-without-its-header.md.
"""

import base64
import hashlib
import hmac
import io
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.secrets import load_or_create_secret
from diagnosis.models.dicom_fields import DicomFields
from pneumoml.decoding.dicom.record import DicomRecord

METHOD = "pneumoweb allow-list 1, PS3.15 Basic Profile"
_IMPLEMENTATION = UID("2.25.188213904610921538206157327306251064373")
# CID 7050 of PS3.16: the Basic Profile, and its options that keep age and sex.
_METHOD_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113108", "Retain Patient Characteristics Option"),
)
# Elements that a radiograph must have, and may leave empty (type 2).
_EMPTY = (
    "PatientBirthDate",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "Manufacturer",
    "SeriesNumber",
    "InstanceNumber",
    "BodyPartExamined",
    "PatientOrientation",
)


def pseudonym_key() -> bytes:
    """Return the installation's key for pseudonyms, generated at the first DICOM film.

    If it is lost, new films of a patient no longer link to old ones; if it leaks, its holder can test a
    list of patient numbers.
    """
    return load_or_create_secret(Path(settings.VAR_DIR) / "pseudonym_key").encode("ascii")


def pseudonym_of(record: DicomRecord, key: bytes) -> str:
    """Return the patient's pseudonym, such as P-K3VZ6Q2MNRBW; "" where the file named nobody."""
    if not record.patient_digest:
        return ""
    return f"P-{base64.b32encode(_keyed(key, 'patient', record.patient_digest))[:12].decode('ascii')}"


def deidentified_dicom(record: DicomRecord, key: bytes) -> bytes:
    """Return a new DICOM file with only the film's pixels, its coded facts and pseudonyms.

    The same film and key give the same bytes, so that a film that is sent again is recognised.
    """
    dataset = Dataset()
    _identity(dataset, record, key)
    _facts(dataset, record)
    _pixels(dataset, record)
    dataset.file_meta = _file_meta(dataset)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def study_fields(record: DicomRecord, key: bytes) -> dict[str, Any]:
    """Return the values of DicomFields for a study."""
    rows, columns = record.spacing_mm or (None, None)
    declared = DicomFields.BurnedInText.DECLARED if record.burned_in == "YES" else ""
    return {
        "modality": record.modality,
        "view_position": record.view_position,
        "laterality": record.laterality,
        "sex": record.sex,
        "age_years": record.age_years,
        "row_spacing_mm": rows,
        "column_spacing_mm": columns,
        "spacing_at_detector": record.spacing_at_detector,
        "pseudonym": pseudonym_of(record, key),
        "deidentification": METHOD,
        "burned_in_text": declared,
    }


def _keyed(key: bytes, kind: str, digest: str) -> bytes:
    return hmac.new(key, f"{kind}:{digest}".encode("ascii"), hashlib.sha256).digest()


def _uid(key: bytes, kind: str, digest: str) -> UID:
    """Map a UID to a keyed one that does not reveal it (PS3.5 §B.2: a UUID under 2.25)."""
    return UID(f"2.25.{uuid.UUID(bytes=_keyed(key, kind, digest)[:16], version=5).int}")


def _identity(dataset: Dataset, record: DicomRecord, key: bytes) -> None:
    pixels = hashlib.sha256(record.values.tobytes()).hexdigest()
    instance = record.instance_digest or pixels
    dataset.SOPClassUID = record.sop_class
    dataset.SOPInstanceUID = _uid(key, "instance", instance)
    dataset.StudyInstanceUID = _uid(key, "study", record.study_digest or instance)
    dataset.SeriesInstanceUID = _uid(key, "series", record.series_digest or instance)
    for keyword in _EMPTY:
        setattr(dataset, keyword, None)
    dataset.PatientID = dataset.PatientName = pseudonym_of(record, key)
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = Sequence(_code(*code) for code in _METHOD_CODES)
    dataset.LongitudinalTemporalInformationModified = "REMOVED"


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _facts(dataset: Dataset, record: DicomRecord) -> None:
    dataset.Modality = record.modality
    dataset.PatientSex = record.sex
    if record.age_years is not None:
        dataset.PatientAge = f"{record.age_years:03d}Y"
    dataset.ViewPosition = record.view_position
    if record.laterality:
        dataset.ImageLaterality = record.laterality
    if record.spacing_mm is not None:
        keyword = "ImagerPixelSpacing" if record.spacing_at_detector else "PixelSpacing"
        setattr(dataset, keyword, [_decimal(part) for part in record.spacing_mm])
    if record.burned_in:
        dataset.BurnedInAnnotation = record.burned_in
    dataset.LossyImageCompression = "01" if record.is_lossy else "00"


def _pixels(dataset: Dataset, record: DicomRecord) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = record.photometric
    dataset.PresentationLUTShape = "INVERSE" if record.photometric == "MONOCHROME1" else "IDENTITY"
    dataset.Rows, dataset.Columns = record.values.shape
    dataset.BitsAllocated, dataset.BitsStored = 16, record.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = record.bits_stored - 1, int(record.is_signed)
    if record.rescale is not None:
        dataset.RescaleSlope, dataset.RescaleIntercept = (_decimal(part) for part in record.rescale)
        dataset.RescaleType = "US"
    if record.window is not None and record.shown_by == "window":
        dataset.WindowCenter, dataset.WindowWidth = (_decimal(part) for part in record.window)
        dataset.VOILUTFunction = record.window_function
    dataset.PixelData = record.values.astype("<u2", copy=False).tobytes()
    dataset["PixelData"].VR = "OW"


def _decimal(value: float) -> str:
    """Format a number as a decimal string of at most 16 characters (PS3.5 §6.2)."""
    return f"{value:.10g}"


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "PNEUMOWEB"
    return meta
