"""Cursors of sorted lists: paging without counting, by the sort value and key of the film at the edge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q

_SALT = "history-cursor-"


@dataclass(frozen=True)
class Cursor:
    """A position between two films: sort value and key of the film beside it, and the direction of paging."""

    value: Any
    pk: int
    backwards: bool

    def encode(self, *, column: str) -> str:
        """Return the cursor as signed text, valid in addresses of lists sorted by `column`."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return signing.dumps([value, self.pk, self.backwards], salt=_SALT + column)

    @classmethod
    def decode(cls, text: str, *, column: str) -> "Cursor":
        """Read a cursor; raises signing.BadSignature for anything that `encode` did not make for `column`."""
        value, pk, backwards = signing.loads(text, salt=_SALT + column)
        return cls(datetime.fromisoformat(value) if column == "created_at" else value, pk, backwards)


def beyond(column: str, value: Any, pk: int, *, descending: bool, pk_descending: bool) -> Q:
    """Return the condition for films behind the one with this value and key, in a list ordered by both.

    The first part is redundant; with it the database starts at the position instead of reading up to it.
    """
    lookup, pk_lookup = "lt" if descending else "gt", "lt" if pk_descending else "gt"
    from_here = Q(**{f"{column}__{lookup}e": value})
    return from_here & (Q(**{f"{column}__{lookup}": value}) | Q(**{column: value, f"pk__{pk_lookup}": pk}))
