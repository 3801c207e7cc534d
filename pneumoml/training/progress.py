"""How long work tells how far it is: one thing of many at a time, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Progress = Callable[[int, int], None]  # done, of how many
Report = Callable[[str, int, int], None]  # what, done, of how many
Item = TypeVar("Item")


def named(report: Report | None, name: str) -> Progress | None:
    """Turn a report on everything into the progress of one thing of that name."""
    return (lambda done, count: report(name, done, count)) if report else None


def told(items: Sequence[Item], what: str, report: Report | None) -> Iterator[Item]:
    """Go through items, reporting each once it has been dealt with."""
    for done, item in enumerate(items, start=1):
        yield item
        if report:
            report(what, done, len(items))
