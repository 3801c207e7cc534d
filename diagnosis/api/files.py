"""A film's files through the API: the original, its stored copies, and the pictures of the result."""

from collections.abc import Iterable
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.api.actor import actor_of
from core.errors import Refused
from core.web import attachment
from diagnosis.models import Study
from diagnosis.results import files


class WhateverIsAccepted(BaseContentNegotiation):
    """Always picks the view's only renderer: pictures are sent whatever Accept says, errors as JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser; not used, since these addresses take no body."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or ""


class OptionRefused(Refused):
    """A parameter of the picture is not known."""


def file_response(request: Request, study: Study, kind: str) -> HttpResponseBase:
    """Answer with one file of the film.

    Raises OptionRefused, FilmMissing, NoResult, NotAllowed or PictureRefused.
    """
    allowed = () if kind in files.STORED_KINDS else files.OPTIONS
    if unknown := set(request.query_params).difference(allowed):
        raise OptionRefused("option_unknown", f"This file has no option “{min(unknown)[:40]}”.")
    options = {name: request.query_params.get(name) for name in files.OPTIONS}
    try:
        file = files.hand_out(actor=actor_of(request), study=study, kind=kind, options=options)
    except files.NoResult as refusal:
        message = "The AI has no result for this film yet, so there is no picture of it."
        raise files.NoResult(refusal.code, message) from refusal
    return attachment(file.content, file.content_type, file.name, same_origin=True)
