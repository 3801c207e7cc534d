"""The dashboard: every figure of a selection, and how many films are left out because their AI is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.accuracy import confusion_matrix, roc
from insight.statistics.agreement import reader_and_ai, reader_and_reader
from insight.statistics.by_site import sites
from insight.statistics.figure import Figure
from insight.statistics.score_drift import lacks_reference, scores
from insight.statistics.selection import Selection
from insight.statistics.signed_reads import MOST_READS, Reads, signed_reads
from insight.statistics.volumes import count_films, volumes, waits
from insight.statistics.weeks import weeks_of

SITES = "sites"  # only where films of the selection come from sites
KEYS = ("volumes", "time-to-result", "reader-ai", "reader-reader", "confusion", "roc", "scores")


@dataclass(frozen=True)
class Dashboard:
    """The figures in the order of KEYS, and SITES where there are any.

    `withheld` films are left out of those about results and reads.
    """

    figures: Sequence[Figure]
    withheld: int


def dashboard_of(selection: Selection) -> Dashboard:
    """Compute all figures in a fixed number of queries."""
    found, reads = weeks_of(selection, before=lacks_reference(selection)), signed_reads(selection)
    weeks = found.last(len(selection.period.mondays))
    counts = count_films(weeks)
    about_reads = [_said_if_capped(figure, reads) for figure in _about_reads(reads)]
    by_site = sites(selection, counts)
    figures = [volumes(counts), waits(weeks), *about_reads, scores(selection, found)]
    return Dashboard([*figures, by_site] if by_site.rows else figures, counts.withheld)


def figure_of(selection: Selection, key: str) -> Figure:
    """Compute one figure of KEYS or SITES."""
    if key in ("volumes", "time-to-result", "scores", SITES):
        if key == "scores":
            return scores(selection, weeks_of(selection, before=lacks_reference(selection)))
        weeks = weeks_of(selection)
        if key == "time-to-result":
            return waits(weeks)
        counts = count_films(weeks)
        return volumes(counts) if key == "volumes" else sites(selection, counts)
    reads = signed_reads(selection)
    return next(_said_if_capped(figure, reads) for figure in _about_reads(reads) if figure.key == key)


def _about_reads(reads: Reads) -> list[Figure]:
    return [reader_and_ai(reads), reader_and_reader(reads), confusion_matrix(reads), roc(reads)]


def _said_if_capped(figure: Figure, reads: Reads) -> Figure:
    if not reads.capped:
        return figure
    capped = _("Only the %(most)s reads of the newest films are counted.") % {
        "most": formatting.count(MOST_READS)
    }
    return Figure(**{**vars(figure), "sentences": [*figure.sentences, capped]})
