"""Progress bars of the commands, shown on terminals only."""

from collections.abc import Callable
from typing import Any

from tqdm import tqdm


def film_bar() -> Callable[[int, int], None]:
    """A progress bar over films; it opens with the first film."""
    bars, name = Bars(unit="film"), "Reading films"

    def show(done: int, total: int) -> None:
        bars(name, done, total)
        if done == total:
            bars.close()

    return show


class Bars:
    """Progress bars one after another, each labelled with its step."""

    def __init__(self, unit: str = "it") -> None:
        """`unit` is what is counted."""
        self._unit, self._name = unit, ""
        self._bar: tqdm[Any] = tqdm(disable=True)

    def __call__(self, name: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done in the step `name`."""
        if name != self._name:
            self._bar.close()
            self._name = name
            self._bar = tqdm(total=total, desc=name[:1].upper() + name[1:], unit=self._unit, disable=None)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Finish the last bar."""
        self._bar.close()
