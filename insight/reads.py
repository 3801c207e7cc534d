"""Signed reads beside the AI's results, as rows to count; and from how many on something is concluded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from diagnosis.models import AI_SHOWN, Prediction, ai_hidden_from
from insight.selection import Selection
from reading.models import OTHERS_SHOWN, Review
from reading.models.opinions import others_hidden_from

MOST_READS = 5_000  # newest films first; more would only slow the page
LEAST_READS, LEAST_SUBJECTS, LEAST_OF_EACH = 30, 20, 10
Finding = Review.Finding


@dataclass(frozen=True)
class Read:
    """One signed read; `probability` None without a result of the chosen model version.

    `subject` tells films of one subject: a code holds within its project and site, and a film without one is
    a subject of its own. `aided`: the reader had an AI result before them.
    """

    film: int
    subject: tuple[int, int | None, str | int]
    reader: str
    finding: str
    aided: bool
    probability: float | None
    above: bool

    @property
    def is_pneumonia(self) -> bool:
        """Whether the reader saw pneumonia; “other finding” is none: the AI is asked nothing else."""
        return self.finding == Finding.PNEUMONIA


@dataclass(frozen=True)
class Reads:
    """The signed reads of a selection, newest films first; `capped` where there are more."""

    all: Sequence[Read]
    capped: bool

    @property
    def readable(self) -> list[Read]:
        """Those that say what is on the film."""
        return [read for read in self.all if read.finding != Finding.NOT_READABLE]

    @property
    def against_ai(self) -> list[Read]:
        """The readable ones of films with a result of the chosen model version."""
        return [read for read in self.readable if read.probability is not None]


def signed_reads(selection: Selection) -> Reads:
    """Read the signed first reads of the films whose reads may be known; addenda and drafts never count."""
    result = Prediction.objects.filter(
        study=OuterRef("study"), model_version=selection.version, status=Prediction.Status.SUCCEEDED
    )
    rows = (
        Review.objects.reads()
        .filter(selection.of_read_films("study"), study__reads_signed__gt=0)
        .annotate(**ai_hidden_from(selection.user, study="study"))
        .annotate(**others_hidden_from(selection.user, study="study"))
        .filter(AI_SHOWN, OTHERS_SHOWN)
        .order_by("-study__created_at", "-pk")
        .annotate(score=Subquery(result.values("calibrated_probability")[:1]))
        .annotate(outcome=Subquery(result.values("outcome")[:1]))
        .values_list(
            "study_id",
            "study__project_id",
            "study__site_id",
            "study__subject_code",
            "reader__username",
            "finding",
            "prediction_id",
            "score",
            "outcome",
        )
    )
    found = list(rows[: MOST_READS + 1])
    return Reads([_read(row) for row in found[:MOST_READS]], capped=len(found) > MOST_READS)


def _read(row: tuple[Any, ...]) -> Read:
    film, project, site, subject, reader, finding, seen, score, outcome = row
    return Read(
        film=film,
        subject=(project, site, subject or film),
        reader=reader,
        finding=finding,
        aided=seen is not None,
        probability=score,
        above=outcome == Prediction.Outcome.PNEUMONIA,
    )


def too_few(reads: int, subjects: int, pneumonia: int, other: int) -> bool:
    """Whether nothing is concluded from so many reads of so many subjects, for and against pneumonia."""
    return reads < LEAST_READS or subjects < LEAST_SUBJECTS or min(pneumonia, other) < LEAST_OF_EACH


def rule() -> str:
    """Say from how many reads on figures are worked out."""
    return _(
        "Too few to conclude: figures are worked out from %(reads)s reads of %(subjects)s subjects on, with "
        "at least %(each)s reads for pneumonia and %(each)s for something else."
    ) % {"reads": LEAST_READS, "subjects": LEAST_SUBJECTS, "each": LEAST_OF_EACH}
