"""In which order a worker asks Redis for its lanes: single films first, the others in turn."""

from collections.abc import Iterable

FIRST = "celery"


class SingleFilmsFirst:
    """An order for kombu's Redis transport (`queue_order_strategy`): round-robin, but for one lane."""

    def __init__(self, lanes: Iterable[str] = ()) -> None:
        self._lanes = list(lanes)

    def update(self, lanes: Iterable[str]) -> None:
        """Take over which lanes there are."""
        self._lanes[:] = lanes

    def consume(self, count: int) -> list[str]:
        """Return the lanes in the order in which to ask for a message."""
        return sorted(self._lanes[:count], key=lambda lane: lane != FIRST)

    def rotate(self, last_used: str) -> str:
        """Put the lane that gave a message behind the others."""
        if last_used in self._lanes:
            self._lanes.remove(last_used)
            self._lanes.append(last_used)
        return last_used
