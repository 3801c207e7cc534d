"""Films and pictures as files: only for those who may see the film; downloads are recorded in the trail."""

import re

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.base import File
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit import trail
from core.errors import Conflict, Refused
from diagnosis.models import Prediction, Study
from diagnosis.results.rendering import (
    HEAT_LAYER,
    HEATMAP,
    OVERLAY,
    SIDE_BY_SIDE,
    FilmMissing,
    render_picture,
)
from diagnosis.studies.blinding import check_shown, shown_result
from diagnosis.views.films import film_or_404, refused

CONTENT_TYPES = {
    Study.MediaFormat.JPEG: ("image/jpeg", "jpg"),
    Study.MediaFormat.PNG: ("image/png", "png"),
    Study.MediaFormat.DICOM: ("application/dicom", "dcm"),
}
_JPEG_START = b"\xff\xd8"


@login_required
@require_GET
def original(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Hand out the film as it was sent (DICOM: de-identified), under a neutral name; recorded."""
    study = film_or_404(request, uid)
    content_type, extension = CONTENT_TYPES[Study.MediaFormat(study.media_format)]
    try:
        file = _open(study.original)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    _record_download(request, study, "original")
    name = f"{study.reference}-original.{extension}"
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    return _guarded(response, kept=False)


@login_required
@require_GET
def display(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Our own grey PNG of the film, for the page's viewer."""
    study = _film_itself_or_404(request, uid)
    return _page_file(request, study, study.display, f"{study.uid}-{study.sha256[:16]}-display")


@login_required
@require_GET
def thumbnail(request: HttpRequest, uid: object) -> HttpResponseBase:
    """The small picture for lists."""
    study = _film_itself_or_404(request, uid)
    return _page_file(request, study, study.thumbnail, f"{study.uid}-{study.sha256[:16]}-thumbnail")


def _film_itself_or_404(request: HttpRequest, uid: object) -> Study:
    """Return the film without its results: a list asks for many small pictures at once."""
    return get_object_or_404(Study.objects.visible_to(request.user), uid=uid)


def _page_file(request: HttpRequest, study: Study, field: "File[bytes]", tag: str) -> HttpResponseBase:
    """Stream a picture that belongs to a page: revalidated at every use, sent again only when it changed."""
    etag = quote_etag(tag)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return _guarded(unchanged, kept=True, etag=etag)
    try:
        file = _open(field)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    is_jpeg = file.read(2) == _JPEG_START
    file.seek(0)
    response = FileResponse(file, content_type="image/jpeg" if is_jpeg else "image/png")
    return _guarded(response, kept=True, etag=etag)


@login_required
@require_GET
def heatmap(request: HttpRequest, uid: object) -> HttpResponseBase:
    """The heat map alone as a download, or with `?inline=1` the transparent layer that lies over the film.

    The layer is PNG; with `style=contour` it is SVG.
    """
    return _picture(request, uid, HEAT_LAYER if _is_inline(request) else HEATMAP)


@login_required
@require_GET
def overlay(request: HttpRequest, uid: object) -> HttpResponseBase:
    """The film with the map on it as a download, or with `?inline=1` for a page without scripts."""
    return _picture(request, uid, OVERLAY)


@login_required
@require_GET
def side_by_side(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Film, map and overlay in one row, as a download."""
    return _picture(request, uid, SIDE_BY_SIDE)


def _picture(request: HttpRequest, uid: object, kind: str) -> HttpResponseBase:
    study = film_or_404(request, uid)
    inline = _is_inline(request)
    try:
        prediction = _finished_prediction(study)
        etag = quote_etag(_picture_tag(request, prediction, kind))
        unchanged = get_conditional_response(request, etag=etag) if inline else None
        if unchanged is not None:
            return _guarded(unchanged, kept=True, etag=etag)
        wishes = {name: request.GET.get(name) for name in ("colour_map", "alpha", "style")}
        picture = render_picture(prediction=prediction, kind=kind, **wishes)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    is_svg = kind == HEAT_LAYER and picture.startswith(b"<svg")
    response = HttpResponse(picture, content_type="image/svg+xml" if is_svg else "image/png")
    if inline:
        return _guarded(response, kept=True, etag=etag)
    _record_download(request, study, kind, model_version=prediction.model_version.version)
    response["Content-Disposition"] = f'attachment; filename="{study.reference}-{kind}.png"'
    return _guarded(response, kept=False)


def _is_inline(request: HttpRequest) -> bool:
    return request.GET.get("inline") == "1"


def _finished_prediction(study: Study) -> Prediction:
    check_shown(study)
    prediction = shown_result(study)
    if prediction is None:
        raise Conflict("no_result", _("The AI has no result for this film yet, so there is no heat map."))
    return prediction


def _picture_tag(request: HttpRequest, prediction: Prediction, kind: str) -> str:
    colour_map = request.GET.get("colour_map") or settings.GRADCAM_COLOUR_MAP
    wish = f"{colour_map}{request.GET.get('alpha') or settings.GRADCAM_ALPHA}{request.GET.get('style') or ''}"
    return f"{prediction.uid}-{kind}-{re.sub(r'[^A-Za-z0-9.-]', '', wish[:60])}"


def _open(field: "File[bytes]") -> "File[bytes]":
    try:
        opened: File[bytes] = field.open("rb")
    except OSError as error:
        message = _("The stored film could not be opened. Tell an administrator.")
        raise FilmMissing("film_missing", message) from error
    return opened


def _record_download(request: HttpRequest, study: Study, kind: str, **details: str) -> None:
    trail.record(actor=request.user, verb="film_downloaded", target=study, kind=kind, **details)


def _guarded(response: HttpResponseBase, *, kept: bool, etag: str = "") -> HttpResponseBase:
    """Set the headers under which a browser shows the bytes as nothing but a picture of this site.

    `kept`: the browser may keep a copy, and asks before each use whether it is still good and still allowed.
    """
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache" if kept else "private, no-store"
    if etag:
        response["ETag"] = etag
    return response
