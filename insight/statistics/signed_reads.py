"""Signed reads with the AI's results as rows to count; the least numbers for a conclusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from diagnosis.models import Prediction
from insight.statistics.selection import Selection
from reading.models import OTHERS_SHOWN, Review
from reading.models.opinions import with_opinions

MOST_READS = 5_000  # newest films first; more would slow the page
LEAST_READS, LEAST_SUBJECTS, LEAST_OF_EACH = 30, 20, 10
Finding = Review.Finding
# Plain strings: comparing with enumeration members is several times slower, for every read.
_PNEUMONIA, _NOT_READABLE = Finding.PNEUMONIA.value, Finding.NOT_READABLE.value
_ABOVE = Prediction.Outcome.PNEUMONIA.value

Subject = tuple[int, int | None, str | int]  # project, site, code or film


class Read(NamedTuple):
    """One signed read; `probability` None without a result of the chosen model version.

    `subject` is a number that films of one subject share: a code holds within its project and site, and a
    film without one is a subject of its own. `is_pneumonia`: whether the reader saw pneumonia; “other
    finding” is none, since the AI is asked nothing else. `aided`: the reader had an AI result before them.
    """

    film: int
    subject: int
    reader: str
    finding: str
    is_pneumonia: bool
    is_readable: bool
    aided: bool
    probability: float | None
    above: bool


@dataclass(frozen=True)
class Reads:
    """The signed reads of a selection, newest films first; `capped` where there are more."""

    all: Sequence[Read]
    capped: bool

    @cached_property
    def readable(self) -> list[Read]:
        """Reads other than “not readable”."""
        return [read for read in self.all if read.is_readable]

    @cached_property
    def against_ai(self) -> list[Read]:
        """Readable reads of films with a result of the selected model version."""
        return [read for read in self.readable if read.probability is not None]


def signed_reads(selection: Selection) -> Reads:
    """Query the signed first reads of films whose reads are shown; addenda and drafts never count."""
    rows = (
        Review.objects.reads()
        .filter(study__in=_newest_read_films(selection))
        .order_by("-study__created_at", "-pk")
        .annotate(result=selection.result("study"))
        .values_list(
            "study_id",
            "study__project_id",
            "study__site_id",
            "study__subject_code",
            "reader__username",
            "finding",
            "prediction_id",
            "result__calibrated_probability",
            "result__outcome",
        )
    )
    found = list(rows[: MOST_READS + 1])
    numbers: dict[Subject, int] = {}
    return Reads([_read(row, numbers) for row in found[:MOST_READS]], capped=len(found) > MOST_READS)


def _newest_read_films(selection: Selection) -> QuerySet[Any]:
    """Return enough films for MOST_READS, so that only their reads are queried."""
    # Where opinions are shown, so is the AI result.
    films = with_opinions(selection.films(), selection.user).filter(OTHERS_SHOWN, reads_signed__gt=0)
    return films.order_by("-created_at", "-pk").values("pk")[: MOST_READS + 1]


def _read(row: tuple[Any, ...], numbers: dict[Subject, int]) -> Read:
    film, project, site, subject, reader, finding, seen, score, outcome = row
    return Read(
        film=film,
        subject=numbers.setdefault((project, site, subject or film), len(numbers)),
        reader=reader,
        finding=finding,
        is_pneumonia=finding == _PNEUMONIA,
        is_readable=finding != _NOT_READABLE,
        aided=seen is not None,
        probability=score,
        above=outcome == _ABOVE,
    )


def too_few(reads: int, subjects: int, pneumonia: int, other: int) -> bool:
    """Whether these numbers of reads, subjects and findings are too small for a conclusion."""
    return reads < LEAST_READS or subjects < LEAST_SUBJECTS or min(pneumonia, other) < LEAST_OF_EACH


def rule() -> str:
    """State from how many reads on figures are computed."""
    return _(
        "Too few to conclude: figures are worked out from %(reads)s reads of %(subjects)s subjects on, with "
        "at least %(each)s reads for pneumonia and %(each)s for something else."
    ) % {"reads": LEAST_READS, "subjects": LEAST_SUBJECTS, "each": LEAST_OF_EACH}
