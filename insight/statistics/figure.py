"""A figure: a table of numbers, sentences about them, and an optional picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.charts import Picture

Cell = str | int | float | date | None


@dataclass(frozen=True)
class Column:
    """A column: its name for programs, its heading for people, and how its cells are written.

    Kinds: text, count, share (0 to 1, written in per cent), number, seconds, day.
    """

    name: str
    label: str
    kind: str = "text"

    def written(self, cell: Cell) -> str:
        """Write one cell in the person's language; a dash for None."""
        return formatting.WRITERS[self.kind](cell) if cell is not None else "–"

    @property
    def is_text(self) -> bool:
        """Whether its cells are words rather than figures."""
        return self.kind in ("text", "day")


@dataclass(frozen=True)
class Figure:
    """One card of the dashboard. `n` counts `unit`; `too_few` says why nothing is computed."""

    key: str
    title: str
    n: int
    unit: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    sentences: Sequence[str] = field(default_factory=list)
    method: str = ""
    too_few: str = ""
    picture: Picture | None = None

    @property
    def written_rows(self) -> list[list[tuple[str, bool]]]:
        """The rows as text, each cell with whether it is words."""
        return [
            [(column.written(cell), column.is_text) for column, cell in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


def interval_columns(name: str, label: str, kind: str = "number") -> list[Column]:
    """Columns of a figure and both ends of its 95 % interval."""
    return [
        Column(name, label, kind),
        Column(f"{name}_low", _("95% interval from"), kind),
        Column(f"{name}_high", _("to"), kind),
    ]
