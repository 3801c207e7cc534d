"""The order in which a worker asks Redis for its queues: single films first, the others in rotation."""

from collections.abc import Iterable

FIRST = "celery"


class SingleFilmsFirst:
    """A `queue_order_strategy` of kombu's Redis transport: one queue first, the others round robin."""

    def __init__(self, queues: Iterable[str] = ()) -> None:
        self._queues = list(queues)

    def update(self, queues: Iterable[str]) -> None:
        """Replace the queues."""
        self._queues[:] = queues

    def consume(self, count: int) -> list[str]:
        """Return the queues in the order in which to ask for a message."""
        return sorted(self._queues[:count], key=lambda queue: queue != FIRST)

    def rotate(self, last_used: str) -> str:
        """Put the queue that gave a message behind the others."""
        if last_used in self._queues:
            self._queues.remove(last_used)
            self._queues.append(last_used)
        return last_used
