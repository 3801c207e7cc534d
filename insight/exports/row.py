"""One row and one column of an export."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from diagnosis.models import ModelVersion, Prediction, Study
from reading.models import Adjudication, Review, others_withheld

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True)
class ExportRow:
    """One row: a film with one read of it, or a film without a read that may be seen.

    `prediction` and `decision` are None where there is none or it is withheld. `who` turns the id and user
    name of a person into their name in the export. `tags` and `notes` are those that may be seen.
    """

    study: Study
    prediction: Prediction | None
    who: Callable[[int, str], str]
    read: Review | None = None
    addenda: list[Review] = field(default_factory=list)
    decision: Adjudication | None = None
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def others_hidden(self) -> bool:
        """Whether others' reads are withheld."""
        return others_withheld(self.study)

    @property
    def model(self) -> ModelVersion | None:
        """The model version behind the result."""
        return self.prediction.model_version if self.prediction else None

    @property
    def addendum(self) -> Review | None:
        """The newest signed addendum to the read."""
        return self.addenda[-1] if self.addenda else None


@dataclass(frozen=True)
class Column:
    """One column: its name, its entries in the codebook, and the function that gets its value."""

    name: str
    meaning: str
    kind: str
    value: Callable[[ExportRow], Cell]
    unit: str = ""
    allowed: str = ""
    missing: str = ""
