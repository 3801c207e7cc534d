"""The dashboard: the figures of a project or of all, on one page, and each as CSV."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.reauthentication import recently_authenticated
from core.web import attachment, signed_in
from insight.exports.files import csv_pieces
from insight.exports.http import CSV, file_name
from insight.forms import PrevalenceForm, SelectionForm
from insight.statistics.dashboard import KEYS, SITES, dashboard_of, figure_of
from insight.statistics.figure import Cell, Figure
from insight.statistics.prevalence import EXAMPLE_PERCENT, predictive_values_of
from insight.statistics.selection import Selection


@login_required
@never_cache
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show all figures of the chosen project, weeks and model version."""
    form = SelectionForm(request.GET, user=signed_in(request))
    if not form.is_valid():
        return render(request, "insight/dashboard.html", {"form": form}, status=400)
    selection = form.selection()
    context: dict[str, Any] = {
        "form": form,
        "selection": selection,
        "dashboard": dashboard_of(selection),
        "query": _query(request),
    }
    if selection.version is not None:
        context["predictive"] = predictive_values_of(selection.version, EXAMPLE_PERCENT)
        context["prevalence_form"] = PrevalenceForm(
            initial={"prevalence": f"{EXAMPLE_PERCENT:g}", "version": selection.version}
        )
    return render(request, "insight/dashboard.html", context)


@login_required
@recently_authenticated
@never_cache
@require_GET
def figure_csv(request: HttpRequest, figure: str) -> HttpResponseBase:
    """Send one figure's table as CSV, after lines that describe it."""
    if figure not in (*KEYS, SITES):
        raise Http404
    form = SelectionForm(request.GET, user=signed_in(request))
    if not form.is_valid():
        return render(request, "insight/dashboard.html", {"form": form}, status=400)
    selection = form.selection()
    with translation.override("en-gb"):
        found = figure_of(selection, figure)
        about = [*_about(selection, found), [column.name for column in found.columns]]
        rows = [[_plain(cell) for cell in row] for row in found.rows]
    return attachment(
        csv_pieces(about[0], [*about[1:], *rows]), CSV, file_name(figure, timezone.now(), "csv")
    )


def _plain(cell: Cell) -> str | int | float | None:
    return cell.isoformat() if isinstance(cell, date) else cell


def _about(selection: Selection, figure: Figure) -> Iterator[list[str]]:
    """The lines before a table, each beginning with #."""
    period, version = selection.period, selection.version
    yield ["# what", figure.title]
    yield ["# project", selection.project.slug if selection.project else "all visible"]
    yield ["# films uploaded", f"{period.first_day} to {period.last_day}"]
    yield ["# model version", version.version if version else "none"]
    yield ["# n", f"{figure.n} {figure.unit}"]
    yield ["# made", timezone.now().isoformat(timespec="seconds")]
    for sentence in filter(None, [*figure.sentences, figure.too_few, figure.method]):
        yield ["# note", sentence]
    yield ["# disclaimer", settings.DISCLAIMER]


def _query(request: HttpRequest) -> str:
    """Return the address's parameters without empty ones, for links that keep the selection."""
    wanted = request.GET.copy()
    for name in [name for name, value in wanted.items() if not value]:
        del wanted[name]
    return wanted.urlencode()
