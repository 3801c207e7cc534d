"""A film's files: the original, its stored copies, and the pictures drawn of its result."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.base import File
from django.utils.translation import gettext as _

from core.errors import Conflict
from diagnosis.models import Prediction, Study
from diagnosis.results.rendering import HEATMAP, OVERLAY, SIDE_BY_SIDE, FilmMissing, render_picture
from diagnosis.studies.access import record_download
from diagnosis.studies.blinding import check_shown, shown_result
from pneumoml.decoding.dicom.file_meta import is_dicom

ORIGINAL, DISPLAY, THUMBNAIL = "original", "display", "thumbnail"
STORED_KINDS = (ORIGINAL, DISPLAY, THUMBNAIL)
RESULT_KINDS = (HEATMAP, OVERLAY, SIDE_BY_SIDE)
FILE_KINDS = (*STORED_KINDS, *RESULT_KINDS)
OPTIONS = ("colour_map", "alpha", "style")  # of a picture, as `render_picture` takes them

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/svg+xml": "svg", "application/dicom": "dcm"}
_DICOM_START = 132  # bytes: preamble and magic
_JPEG_START, _SVG_START = b"\xff\xd8", b"<svg"


class NoResult(Conflict):
    """There is no result yet of which a picture could be drawn."""


@dataclass(frozen=True)
class FilmFile:
    """The content of a file, open or in memory, its media type, and a name that tells nothing of a person."""

    content: "File[bytes] | bytes"
    content_type: str
    name: str


def hand_out(
    *,
    actor: User,
    study: Study,
    kind: str,
    options: Mapping[str, str | None] | None = None,
    names_version: bool = False,
) -> FilmFile:
    """Return one of FILE_KINDS of a film as a download, and record it.

    `options` are those of a picture; with `names_version` the event names the model version of a picture.
    Raises FilmMissing; for pictures also NotAllowed, NoResult or PictureRefused. Nothing is recorded then.
    """
    details = {}
    if kind in STORED_KINDS:
        file = open_stored(study, kind)
    else:
        prediction = result_of(study)
        file = draw(prediction, kind, options or {})
        if names_version:
            details["model_version"] = prediction.model_version.version
    record_download(actor=actor, study=study, kind=kind, **details)
    return file


def open_stored(study: Study, kind: str) -> FilmFile:
    """Open one of STORED_KINDS. Raises FilmMissing."""
    stored = {ORIGINAL: study.original, DISPLAY: study.display, THUMBNAIL: study.thumbnail}[kind]
    try:
        file = stored.open("rb")
        content_type = _content_type(file.read(_DICOM_START))
        file.seek(0)
    except OSError as error:
        message = _("The stored film could not be opened. Tell an administrator.")
        raise FilmMissing("film_missing", message) from error
    return FilmFile(file, content_type, _name(study, kind, content_type))


def result_of(study: Study) -> Prediction:
    """Return the newest result. Raises NotAllowed where it is withheld, NoResult where there is none."""
    check_shown(study)
    prediction = shown_result(study)
    if prediction is None:
        raise NoResult("no_result", _("The AI has no result for this film yet, so there is no heat map."))
    return prediction


def draw(prediction: Prediction, kind: str, options: Mapping[str, str | None]) -> FilmFile:
    """Draw a picture of a result. Raises as `render_picture` does."""
    content = render_picture(prediction=prediction, kind=kind, **options)
    content_type = "image/svg+xml" if content.startswith(_SVG_START) else "image/png"
    return FilmFile(content, content_type, _name(prediction.study, kind, content_type))


def _content_type(start: bytes) -> str:
    """Tell by content: only JPEG, PNG and DICOM are ever stored."""
    if is_dicom(start):
        return "application/dicom"
    return "image/jpeg" if start.startswith(_JPEG_START) else "image/png"


def _name(study: Study, kind: str, content_type: str) -> str:
    return f"{study.reference}-{kind}.{_EXTENSIONS[content_type]}"
