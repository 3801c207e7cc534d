"""A film's files and pictures, for people who may see it: as downloads, and as images on pages."""

import re

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET

from core.errors import Refused
from core.web import SANDBOX_HEADERS, attachment, signed_in
from diagnosis.models import Prediction, Study
from diagnosis.results import files
from diagnosis.results.rendering import HEAT_LAYER, HEATMAP, OVERLAY, SIDE_BY_SIDE
from diagnosis.views.films import film_or_404, refused


@login_required
@require_GET
def original(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the film as it was sent in (DICOM: de-identified), as a download."""
    return _download(request, film_or_404(request, uid), files.ORIGINAL)


@login_required
@require_GET
def display(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the normalised grey PNG of the film, for the page's viewer."""
    return _page_file(request, uid, files.DISPLAY)


@login_required
@require_GET
def thumbnail(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the small picture for lists."""
    return _page_file(request, uid, files.THUMBNAIL)


def _page_file(request: HttpRequest, uid: object, kind: str) -> HttpResponseBase:
    """Stream a picture that belongs to a page: revalidated at every use, sent again only when it changed."""
    # Without its results: a list asks for many small pictures at once.
    study = get_object_or_404(Study.objects.visible_to(request.user), uid=uid)
    etag = quote_etag(f"{study.uid}-{study.sha256[:16]}-{kind}")
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return _revalidated(unchanged, etag)
    try:
        file = files.open_stored(study, kind)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return _revalidated(FileResponse(file.content, content_type=file.content_type), etag)


@login_required
@require_GET
def heatmap(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the heat map alone as a download, or with `?inline=1` the transparent layer over the film.

    The layer is PNG; with `style=contour` it is SVG.
    """
    return _picture(request, uid, HEATMAP, inline_kind=HEAT_LAYER)


@login_required
@require_GET
def overlay(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the film with the map on it as a download, or with `?inline=1` for a page without scripts."""
    return _picture(request, uid, OVERLAY, inline_kind=OVERLAY)


@login_required
@require_GET
def side_by_side(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send film, map and overlay in one row, as a download."""
    return _picture(request, uid, SIDE_BY_SIDE, inline_kind=SIDE_BY_SIDE)


def _picture(request: HttpRequest, uid: object, kind: str, *, inline_kind: str) -> HttpResponseBase:
    study = film_or_404(request, uid)
    if request.GET.get("inline") != "1":
        return _download(request, study, kind)
    try:
        prediction = files.result_of(study)
        etag = quote_etag(_picture_tag(request, prediction, inline_kind))
        unchanged = get_conditional_response(request, etag=etag)
        if unchanged is not None:
            return _revalidated(unchanged, etag)
        picture = files.draw(prediction, inline_kind, _options(request))
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return _revalidated(HttpResponse(picture.content, content_type=picture.content_type), etag)


def _download(request: HttpRequest, study: Study, kind: str) -> HttpResponseBase:
    try:
        file = files.hand_out(
            actor=signed_in(request), study=study, kind=kind, options=_options(request), names_version=True
        )
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return attachment(file.content, file.content_type, file.name, same_origin=True)


def _options(request: HttpRequest) -> dict[str, str | None]:
    return {name: request.GET.get(name) for name in files.OPTIONS}


def _picture_tag(request: HttpRequest, prediction: Prediction, kind: str) -> str:
    colour_map = request.GET.get("colour_map") or settings.GRADCAM_COLOUR_MAP
    look = f"{colour_map}{request.GET.get('alpha') or settings.GRADCAM_ALPHA}{request.GET.get('style') or ''}"
    return f"{prediction.uid}-{kind}-{re.sub(r'[^A-Za-z0-9.-]', '', look[:60])}"


def _revalidated(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """Let the browser keep a copy, and ask before each use whether it is still good and still allowed."""
    for header, value in SANDBOX_HEADERS.items():
        response[header] = value
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    return response
