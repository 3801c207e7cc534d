"""The broker is killed, frozen and emptied under load: uploads are answered in time, and nothing is lost."""

import signal
from collections.abc import Callable

import pytest

from tests.reliability.conftest import StartStack
from tests.reliability.uploader import Uploader
from tests.waiting import wait_until

# The times hold on a quiet machine; while the network loads on a busy one, work resumes later.
pytestmark = [pytest.mark.worker, pytest.mark.tensorflow, pytest.mark.nightly]
FILMS_EACH = 6
ANSWER_SECONDS = 2.5
RESUME_SECONDS = 10


def killed(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.kill("broker")
    meanwhile()
    uploader.stack.start_broker()


def frozen(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.send("broker", signal.SIGSTOP)
    meanwhile()
    uploader.stack.send("broker", signal.SIGCONT)


def emptied(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.send("worker", signal.SIGSTOP)  # or the films would be read before they are forgotten
    meanwhile()
    uploader.stack.empty_broker()
    uploader.stack.send("worker", signal.SIGCONT)


@pytest.mark.parametrize("fail", [killed, frozen, emptied])
def test_uploads_are_answered_while_the_broker_fails_and_read_soon_after(
    start_stack: StartStack, record_property: Callable[..., None], fail: Callable[..., None]
) -> None:
    uploader = start_stack("valkey")
    uploader.stack.start_worker()
    uploader.upload()
    uploader.wait_until_all_are_through(seconds=180)
    uploader.seconds.clear()

    def meanwhile() -> None:
        for _ in range(FILMS_EACH):
            uploader.upload()
        # Old enough to be rung again; a film that has just arrived has its own bell.
        wait_until(lambda: uploader.oldest_wait() > 15, seconds=30, what="films that wait")

    fail(uploader, meanwhile)
    finished = uploader.finished()
    wait_until(lambda: uploader.finished() > finished, seconds=RESUME_SECONDS, what="work after the failure")
    uploader.wait_until_all_are_through(seconds=60)
    record_property("slowest_upload_seconds", round(max(uploader.seconds), 2))
    assert max(uploader.seconds) <= ANSWER_SECONDS
    assert uploader.results() == [1] * (FILMS_EACH + 1)
