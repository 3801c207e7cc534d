"""Thousands of films in a row: the worker's memory does not grow."""

from collections.abc import Callable

import psutil
import pytest

from tests.reliability.conftest import StartStack

FILMS, WARM_UP, EACH = 2000, 200, 100
MAY_GROW = 0.05


@pytest.mark.nightly
@pytest.mark.worker
@pytest.mark.tensorflow
def test_after_two_thousand_films_the_worker_is_as_large_as_after_two_hundred(
    start_stack: StartStack, record_property: Callable[..., None]
) -> None:
    uploader = start_stack("valkey", THROTTLE_UPLOAD="100000/min")
    uploader.stack.start_worker()
    parent = psutil.Process(uploader.stack.processes["worker"].pid)
    sizes: list[tuple[int, int]] = []
    for analysed in range(EACH, FILMS + 1, EACH):
        for _ in range(EACH):
            uploader.upload()
        uploader.wait_until_all_are_through(seconds=600)
        if analysed >= WARM_UP:
            (child,) = parent.children()
            sizes.append((child.pid, child.memory_info().rss))
    assert uploader.results() == [1] * FILMS
    # After 2,000 tasks, heartbeats among them, Celery starts a new child: compare within the first one.
    first = [rss for pid, rss in sizes if pid == sizes[0][0]]
    record_property("megabytes", [rss // 1_000_000 for _, rss in sizes])
    assert len(first) >= 10
    assert max(first) <= first[0] * (1 + MAY_GROW)
