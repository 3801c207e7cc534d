"""The export page and its files: CSV, Excel workbook, ZIP with pictures, codebook."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.reauthentication import recently_authenticated
from core.errors import Refused
from core.web import attachment, refusal_page, signed_in
from diagnosis.results.rendering import OVERLAY
from insight.exports import files
from insight.exports.columns import COLUMNS
from insight.exports.http import CSV, XLSX, ZIP, file_name
from insight.exports.service import CODE, USERNAME, Export, begin_export, check_may_export
from reading.lists.forms import FilmFilterForm
from reading.lists.queries import count_at_most

_PAGING = ("sort", "cursor")  # how the list is shown, not which films are in it


class ExportOptions(forms.Form):
    """How people are named, and which pictures go into a ZIP file."""

    people = forms.ChoiceField(
        required=False, choices=[(USERNAME, _("User names")), (CODE, _("Codes, the same in every export"))]
    )
    pictures = forms.MultipleChoiceField(
        required=False,
        choices=[
            (files.DISPLAY, _("Films as grey PNG")),
            (OVERLAY, _("Overlays of the AI's heat map")),
            (files.ORIGINAL, _("Originals (DICOM: de-identified)")),
        ],
    )

    def clean_people(self) -> str:
        """User names by default."""
        return self.cleaned_data["people"] or USERNAME


@login_required
@never_cache
@require_GET
def export_page(request: HttpRequest) -> HttpResponse:
    """Show the number of films selected, the files and their options."""
    try:
        check_may_export(signed_in(request))
    except Refused as refusal:
        return refused(request, refusal)
    chosen, options = FilmFilterForm(request.GET, user=request.user), ExportOptions(request.GET)
    return _page(request, chosen, options)


def _page(request: HttpRequest, chosen: FilmFilterForm, options: ExportOptions) -> HttpResponse:
    valid = chosen.is_valid() and options.is_valid()
    context: dict[str, Any] = {"chosen": chosen, "options": options, "valid": valid}
    if valid:
        films = count_at_most(chosen.query.films())
        context |= {
            "films": films,
            "filters": filters_of(chosen),
            "columns": len(COLUMNS),
            "most_films": files.ZIP_MOST_FILMS,
            "too_many": films > files.ZIP_MOST_FILMS,
            "people": options.cleaned_data["people"],
        }
    return render(request, "insight/export.html", context, status=200 if valid else 400)


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Show why a file was not made, with the refusal's own HTTP status and a way back."""
    return refusal_page(request, "insight/export_refused.html", refusal)


def filters_of(chosen: FilmFilterForm) -> dict[str, str]:
    """Return the filters that are set, as they were sent."""
    sent = {name: ", ".join(filter(None, chosen.data.getlist(name))) for name in chosen.fields}  # type: ignore[attr-defined]
    return {name: value[:200] for name, value in sent.items() if value and name not in _PAGING}


def _file(
    request: HttpRequest,
    kind: str,
    make: Callable[[Export, list[str]], HttpResponseBase],
    most_films: int | None = None,
) -> HttpResponseBase:
    chosen, options = FilmFilterForm(request.GET, user=request.user), ExportOptions(request.GET)
    try:
        check_may_export(signed_in(request))
        if not (chosen.is_valid() and options.is_valid()):
            return _page(request, chosen, options)
        export = begin_export(
            actor=signed_in(request),
            studies=chosen.query.films(),
            filters=filters_of(chosen),
            kind=kind,
            people=options.cleaned_data["people"],
            most_films=most_films,
        )
        return make(export, options.cleaned_data["pictures"])
    except Refused as refusal:
        return refused(request, refusal)


@login_required
@recently_authenticated
@require_GET
def reads_csv(request: HttpRequest) -> HttpResponseBase:
    """Stream the rows as CSV."""
    return _file(
        request,
        "csv",
        lambda export, _: attachment(files.reads_csv(export), CSV, file_name("reads", export.at, "csv")),
    )


@login_required
@recently_authenticated
@require_GET
def reads_xlsx(request: HttpRequest) -> HttpResponseBase:
    """Send rows, codebook and facts about the export as an Excel workbook."""
    return _file(
        request,
        "xlsx",
        lambda export, _: attachment(files.reads_xlsx(export), XLSX, file_name("reads", export.at, "xlsx")),
        most_films=files.XLSX_MOST_ROWS,
    )


@login_required
@recently_authenticated
@require_GET
def films_zip(request: HttpRequest) -> HttpResponseBase:
    """Stream rows, codebook and the selected pictures as a ZIP file."""
    return _file(
        request,
        "zip",
        lambda export, pictures: attachment(
            files.films_zip(export, pictures), ZIP, file_name("films", export.at, "zip")
        ),
        most_films=files.ZIP_MOST_FILMS,
    )


@login_required
@require_GET
def codebook_csv(request: HttpRequest) -> HttpResponseBase:
    """Send the codebook."""
    return attachment(files.codebook_csv(), CSV, file_name("codebook", timezone.now(), "csv"))
