"""A study's files through the API: the original, our copies, and the pictures of the result."""

from collections.abc import Iterable
from typing import Any

from django.core.files.base import File
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.errors import Conflict, Refused
from diagnosis.models import Prediction, Study
from diagnosis.results.rendering import FilmMissing, render_picture
from diagnosis.studies.blinding import check_shown, shown_result
from pneumoml.decoding.dicom.file_meta import is_dicom

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "application/dicom": "dcm"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


class WhateverIsAccepted(BaseContentNegotiation):
    """Takes the view's only renderer: pictures are sent whatever Accept says, errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Not used: nothing is sent to this address."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or ""


class OptionRefused(Refused):
    """A parameter of the picture is not known."""


def file_response(request: Request, study: Study, kind: str) -> HttpResponse | FileResponse:
    """Answer with one file of the study; raises FilmMissing, Conflict, NotAllowed or PictureRefused."""
    stored = {"original": study.original, "display": study.display, "thumbnail": study.thumbnail}.get(kind)
    allowed = set() if stored is not None else {"colour_map", "alpha", "style"}
    if unknown := set(request.query_params) - allowed:
        raise OptionRefused("option_unknown", f"This file has no option “{min(unknown)[:40]}”.")
    if stored is not None:
        return _stored(study, kind, stored)
    picture = render_picture(
        prediction=_newest_result(study),
        kind=kind,
        colour_map=request.query_params.get("colour_map"),
        alpha=request.query_params.get("alpha"),
        style=request.query_params.get("style"),
    )
    return HttpResponse(picture, content_type="image/png", headers=_headers(study, kind, "image/png"))


def _newest_result(study: Study) -> Prediction:
    check_shown(study)
    newest = shown_result(study)
    if newest is None:
        raise Conflict("no_result", "The AI has no result for this film yet, so there is no picture of it.")
    return newest


def _stored(study: Study, kind: str, stored: FieldFile) -> FileResponse:
    try:
        file = stored.open("rb")
    except OSError as error:
        message = "The stored film could not be opened. Tell an administrator."
        raise FilmMissing("film_missing", message) from error
    media_type = _media_type(file)
    response = FileResponse(file, content_type=media_type)
    for name, value in _headers(study, kind, media_type).items():
        response[name] = value
    return response


def _media_type(file: "File[bytes]") -> str:
    """Tell by content: only JPEG, PNG and DICOM were ever taken in or made."""
    start = file.read(132)
    file.seek(0)
    if is_dicom(start):
        return "application/dicom"
    return "image/jpeg" if start[:2] == b"\xff\xd8" else "image/png"


def _headers(study: Study, kind: str, media_type: str) -> dict[str, str]:
    name = f"{study.reference}-{kind}.{_EXTENSIONS[media_type]}"
    return {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
