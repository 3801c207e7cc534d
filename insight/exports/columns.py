"""The columns of an export: name, meaning and value of each, in their fixed order; and the codebook.

Names, codes and the codebook are English in every language: programs read them.
"""

from collections.abc import Iterable

from diagnosis.models import Prediction, Study
from insight.exports.row import Cell, Column, ExportRow
from pneumoml.decoding.dicom.record import LATERALITIES, MODALITIES, SEXES, VIEW_POSITIONS
from reading.models import Adjudication, Review

NONE_FOUND = "none"
NEVER_EMPTY = "never empty"


def _codes(choices: Iterable[str]) -> str:
    return "|".join(choices)


def _flags(codes: list[str] | None) -> str | None:
    """Distinguish “checked, nothing found” from “not checked”."""
    return None if codes is None else ";".join(codes) or NONE_FOUND


def _film(name: str, meaning: str, kind: str, field_name: str = "", **more: str) -> Column:
    """Return a column of one field of the film; an empty text counts as missing."""
    attribute = field_name or name

    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.study, attribute)
        return None if found == "" else found

    return Column(name, meaning, kind, value, **more)


def _ai(name: str, meaning: str, kind: str, field_name: str = "", **more: str) -> Column:
    """Return a column of one field of the newest prediction."""
    attribute = field_name or name.removeprefix("ai_")

    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.prediction, attribute) if row.prediction else None
        return None if found == "" else found

    return Column(name, meaning, kind, value, **{"missing": _NO_RESULT, **more})


def _model(name: str, meaning: str, kind: str, field_name: str, **more: str) -> Column:
    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.model, field_name) if row.model else None
        return found

    return Column(name, meaning, kind, value, missing=_NO_RUN, **more)


def _read(name: str, meaning: str, kind: str, field_name: str = "", **more: str) -> Column:
    """Return a column of one field of the read."""
    attribute = field_name or name.removeprefix("read_")

    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.read, attribute) if row.read else None
        return None if found == "" else found

    return Column(name, meaning, kind, value, **{"missing": _NO_READ, **more})


def _addendum(name: str, meaning: str, kind: str, **more: str) -> Column:
    attribute = name.removeprefix("addendum_")

    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.addendum, attribute) if row.addendum else None
        return None if found == "" else found

    return Column(name, meaning, kind, value, missing="no signed addendum", **more)


def _decision(name: str, meaning: str, kind: str, field_name: str, **more: str) -> Column:
    """Return a column of one field of the film's adjudication."""

    def value(row: ExportRow) -> Cell:
        found: Cell = getattr(row.decision, field_name) if row.decision else None
        return found

    return Column(name, meaning, kind, value, missing=_NO_DECISION, **more)


_NOT_DICOM = "not a DICOM film, or the file did not say"
_NO_RUN = "no run of a model, or withheld"
_NO_RESULT = "no result, or withheld"
_NO_READ = "the film has no read, or none that you may see yet"
_NO_DECISION = "nobody has adjudicated the film, or withheld with others' reads"
_FINDINGS, _SHARE = _codes(Review.Finding.values), "share of the film, 0 to 1"

FILM = (
    Column("project", "Project the film belongs to", "text", lambda row: row.study.project.slug),
    Column("study_id", "Id of the study (one film)", "uuid", lambda row: str(row.study.uid)),
    _film("study_reference", "Short name of the study, as the pages show it", "text", "reference"),
    Column(
        "site",
        "Code of the project's site (centre) that the film comes from",
        "text",
        lambda row: row.study.site.code if row.study.site else None,
        missing="none was given",
    ),
    _film(
        "subject_code",
        "The subject's code in your study: a subject is a code within a project and site",
        "text",
        missing="none was given",
    ),
    _film(
        "pseudonym", "Keyed pseudonym: the same for all films of a patient here", "text", missing=_NOT_DICOM
    ),
    _film("sex", "Sex as DICOM codes it", "code", allowed=_codes(SEXES), missing=_NOT_DICOM),
    _film("age_years", "Age at the study; 90 means 90 or older", "integer", unit="years", missing=_NOT_DICOM),
    _film("modality", "DICOM modality", "code", allowed=_codes(MODALITIES), missing=_NOT_DICOM),
    _film("view_position", "DICOM view position", "code", allowed=_codes(VIEW_POSITIONS), missing=_NOT_DICOM),
    _film("laterality", "DICOM laterality", "code", allowed=_codes(LATERALITIES), missing=_NOT_DICOM),
    _film("row_spacing_mm", "Distance from row to row", "number", unit="mm", missing=_NOT_DICOM),
    _film("column_spacing_mm", "Distance from column to column", "number", unit="mm", missing=_NOT_DICOM),
    _film(
        "spacing_at_detector", "The spacing is measured at the detector: the patient is magnified", "boolean"
    ),
    _film(
        "burned_in_text",
        "Text in the pixels: declared by the file, suspected, or cleared by a person",
        "code",
        allowed=_codes(Study.BurnedInText.values),
        missing="nothing was suspected",
    ),
    _film("source", "How the film came in", "code", allowed=_codes(Study.Source.values)),
    _film("media_format", "Format as sent", "code", allowed=_codes(Study.MediaFormat.values)),
    _film("width_px", "Width of the film", "integer", "width", unit="pixels"),
    _film("height_px", "Height of the film", "integer", "height", unit="pixels"),
    _film("bit_depth", "Bits of each pixel", "integer", unit="bits"),
    _film("byte_size", "Size of the file as sent", "integer", unit="bytes"),
    _film("sha256", "SHA-256 of the file as sent", "text", unit="hexadecimal"),
    _film("uploaded_at", "When the film was taken in", "time", "created_at"),
    Column(
        "uploaded_by",
        "Who sent the film, named as in reader",
        "text",
        lambda row: row.who(row.study.uploaded_by_id, row.study.uploaded_by.get_username()),
    ),
)

AI = (
    Column(
        "ai_withheld",
        "True: the project hides the AI result of this film from you until you have signed your own read; "
        "all further ai columns are empty",
        "boolean",
        lambda row: row.study.ai_hidden,
    ),
    Column(
        "ai_runs",
        "How many times a model was asked to read the film",
        "integer",
        lambda row: None if row.study.ai_hidden else len(row.study.predictions.all()),
        missing="withheld",
    ),
    Column(
        "ai_prediction_id",
        "Id of the newest run, which all ai columns describe",
        "uuid",
        lambda row: str(row.prediction.uid) if row.prediction else None,
        missing=_NO_RUN,
    ),
    _ai("ai_status", "State of the run", "code", allowed=_codes(Prediction.Status.values), missing=_NO_RUN),
    _ai("ai_failure_code", "Why the run failed", "text", missing="it did not fail, or withheld"),
    _model("ai_model_version", "Version of the model", "text", "version"),
    _model("ai_threshold", "Operating point, for the calibrated probability", "number", "threshold"),
    _model("ai_borderline_low", "Lower end of the borderline band, included", "number", "borderline_low"),
    _model("ai_borderline_high", "Upper end of the borderline band, included", "number", "borderline_high"),
    _ai("ai_logit", "Output of the network before the sigmoid", "number"),
    _ai("ai_raw_score", "Sigmoid output, not calibrated", "number", "probability", allowed="0 to 1"),
    _ai("ai_calibrated_probability", "The score after calibration", "number", allowed="0 to 1"),
    _ai(
        "ai_outcome",
        "pneumonia: at or above the operating point; normal: below it",
        "code",
        allowed=_codes(Prediction.Outcome.values),
    ),
    Column(
        "ai_borderline",
        "The calibrated probability lies in the borderline band",
        "boolean",
        lambda row: row.prediction.is_borderline if _has_result(row) and row.prediction else None,
        missing=_NO_RESULT,
    ),
    Column(
        "ai_scope_flags",
        "Codes of what puts the film outside what the model can judge, separated by ;",
        "text",
        lambda row: _flags(row.prediction.scope_flags) if row.prediction else None,
        allowed="codes, or none: looked and found nothing",
        missing="not checked, no result, or withheld",
    ),
    _ai("ai_layer", "Layer of the Grad-CAM map", "text"),
    _ai("ai_map_strength", "Largest value of the Grad-CAM map, in absolute units", "number", "cam_strength"),
    Column(
        "ai_map_flags",
        "Codes of what makes the map unreliable, separated by ;",
        "text",
        lambda row: _flags(row.prediction.map_flags) if row.prediction else None,
        allowed="codes, or none: looked and found nothing",
        missing="not checked, no result, or withheld",
    ),
    _ai("ai_attempts", "Attempts that the run took", "integer", missing=_NO_RUN),
    _ai("ai_queued_at", "When the run was asked for", "time", missing=_NO_RUN),
    _ai("ai_started_at", "When a worker took the run", "time", missing="not started, or withheld"),
    _ai("ai_finished_at", "When the run was over", "time", missing="not finished, or withheld"),
    _ai("ai_preprocess_ms", "Time of preprocessing", "number", unit="ms"),
    _ai("ai_forward_ms", "Time of network and map together", "number", unit="ms"),
)

READ = (
    Column(
        "reads_withheld",
        "True: other readers' reads of this film are hidden from you until you have signed your own; if "
        "there are any, their rows are left out",
        "boolean",
        lambda row: row.others_hidden,
    ),
    Column(
        "read_id",
        "Id of the read: a reader's signed first read of the film, or their draft until they sign",
        "uuid",
        lambda row: str(row.read.uid) if row.read else None,
        missing=_NO_READ,
    ),
    Column(
        "reader",
        "User name, or a code that is the same in every export of this installation; always the code where "
        "the user name looks like an e-mail address",
        "text",
        lambda row: row.who(row.read.reader_id, row.read.reader.get_username()) if row.read else None,
        missing=_NO_READ,
    ),
    Column(
        "read_status",
        "signed: final; draft: may change, and does not count in statistics",
        "code",
        lambda row: ("signed" if row.read.is_signed else "draft") if row.read else None,
        allowed="signed|draft",
        missing=_NO_READ,
    ),
    _read("read_finding", "What the reader found", "code", allowed=_FINDINGS),
    _read("read_confidence", "How sure the reader is", "integer", allowed="0 to 100"),
    Column(
        "read_after_ai",
        "The reader had an AI result before them when they gave this read",
        "boolean",
        lambda row: None if not row.read or row.study.ai_hidden else row.read.prediction_id is not None,
        missing="no read, or withheld",
    ),
    Column(
        "read_agrees_with_ai",
        "The reader's own answer whether they agree with that result",
        "boolean",
        lambda row: None if not row.read or row.study.ai_hidden else row.read.agrees_with_ai,
        missing="no read, no result before them, or withheld",
    ),
    *(
        _read(
            f"read_region_{name}",
            f"Region drawn on the film: {meaning}",
            "number",
            f"region_{name}",
            unit=_SHARE,
            missing="no region was drawn",
        )
        for name, meaning in (
            ("x", "left edge, from the left"),
            ("y", "upper edge, from the top"),
            ("width", "width"),
            ("height", "height"),
        )
    ),
    _read("read_comment", "The reader's comment", "text", missing="no comment"),
    _read(
        "read_open_seconds",
        "From opening the form to saving, all drafts of this read together",
        "integer",
        unit="seconds",
        missing="not measured",
    ),
    _read(
        "read_active_seconds",
        "Of these, with the reader at work, as the page reports",
        "integer",
        unit="seconds",
        missing="not measured",
    ),
    _read("read_saved_at", "When this opinion was saved", "time", "created_at"),
    _read("read_signed_at", "When it was signed", "time", missing="a draft, or no read"),
    Column(
        "addenda",
        "How many addenda the reader signed later",
        "integer",
        lambda row: len(row.addenda) if row.read else None,
        missing=_NO_READ,
    ),
    _addendum("addendum_finding", "Finding of the newest addendum", "code", allowed=_FINDINGS),
    _addendum("addendum_confidence", "Certainty of the newest addendum", "integer", allowed="0 to 100"),
    _addendum("addendum_comment", "Comment of the newest addendum", "text"),
    _addendum("addendum_signed_at", "When the newest addendum was signed", "time"),
)

DECISION = (
    _decision(
        "adjudicated_finding", "Final finding where signed reads differ", "code", "finding", allowed=_FINDINGS
    ),
    _decision(
        "adjudication_basis",
        "third_reader: decided by somebody who had not read the film; consensus: by one of its readers",
        "code",
        "basis",
        allowed=_codes(Adjudication.Basis.values),
    ),
    Column(
        "adjudicator",
        "Who decided, named as in reader",
        "text",
        lambda row: (
            row.who(row.decision.adjudicator_id, row.decision.adjudicator.get_username())
            if row.decision
            else None
        ),
        missing=_NO_DECISION,
    ),
    _decision("adjudication_rationale", "The reasons given", "text", "rationale"),
    _decision("adjudicated_at", "When it was decided", "time", "decided_at"),
)

MARKS = (
    Column(
        "tags",
        "Tags on the film that you may see, by name, separated by ;",
        "text",
        lambda row: "; ".join(row.tags) or None,
        missing="none, or withheld with others' opinions",
    ),
    Column(
        "notes",
        "Notes about the film that you may see, oldest first, separated by an empty line",
        "text",
        lambda row: "\n\n".join(row.notes) or None,
        missing="none, or withheld with others' opinions",
    ),
)

COLUMNS: tuple[Column, ...] = (*FILM, *AI, *READ, *DECISION, *MARKS)
NAMES = tuple(column.name for column in COLUMNS)
CODEBOOK_HEADER = ("name", "meaning", "type", "unit", "allowed", "empty_when")


def _has_result(row: ExportRow) -> bool:
    return row.prediction is not None and row.prediction.calibrated_probability is not None


def cells_of(row: ExportRow) -> list[Cell]:
    """Return the row's values in the order of COLUMNS; None where a value is missing or withheld."""
    return [column.value(row) for column in COLUMNS]


def codebook() -> list[list[Cell]]:
    """Return one row a column, as CODEBOOK_HEADER names them."""
    return [
        [column.name, column.meaning, column.kind, column.unit, column.allowed, column.missing or NEVER_EMPTY]
        for column in COLUMNS
    ]
