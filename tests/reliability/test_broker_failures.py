"""The broker is killed, frozen and emptied under load: uploads are answered in time, and nothing is lost."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.reliability.conftest import StartStack
from tests.reliability.helpers.stand_in import SLOW
from tests.reliability.helpers.uploader import Uploader
from tests.support.servers.waiting import wait_until

pytestmark = pytest.mark.worker
Fail = Callable[[Uploader, Callable[[], None]], None]
ANSWER_SECONDS = 2.5


def killed(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.kill("broker")
    meanwhile()
    uploader.stack.start_broker()


def frozen(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.send("broker", signal.SIGSTOP)
    # The film at work is read to its end; that it was cannot be acknowledged.
    wait_until(lambda: "running" not in uploader.statuses(), seconds=60, what="the film at work")
    meanwhile()
    uploader.stack.send("broker", signal.SIGCONT)


def emptied(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.send("worker", signal.SIGSTOP)  # or the films would be read before they are forgotten
    meanwhile()
    uploader.stack.empty_broker()
    uploader.stack.send("worker", signal.SIGCONT)


FAILURES = [killed, frozen, emptied]
# The usual tests freeze it; that films survive a killed broker is among those of the worker.
SHORT = [frozen, *(pytest.param(fail, marks=pytest.mark.nightly) for fail in (killed, emptied))]


@dataclass(frozen=True)
class Times:
    """Seconds that a film waits until it is rung again, and until work must go on (10 on a quiet machine)."""

    old: float
    resume: float


def uploads_are_answered_and_read_soon_after(
    uploader: Uploader, fail: Fail, times: Times, tell: Callable[..., None]
) -> None:
    """Let the broker fail while six films are uploaded; hold the times, lose none."""
    known = len(uploader.statuses())
    for _ in range(3):
        uploader.upload()
    uploader.wait_until_all_are_through(seconds=180)
    # What an upload takes here while all is well: this machine may be busy.
    usual = max(uploader.seconds[-3:])
    failed_from = len(uploader.seconds)

    def meanwhile() -> None:
        for _ in range(6):
            uploader.upload()
        # Old enough to be rung again; a film that has just arrived has its own bell.
        wait_until(lambda: uploader.oldest_wait() > times.old, seconds=60, what="films that wait")

    uploader.upload(subject_code=SLOW)
    uploader.wait_until_one_is_read()
    fail(uploader, meanwhile)
    well_again, finished = time.monotonic(), uploader.finished()
    wait_until(lambda: uploader.finished() > finished, seconds=times.resume, what="work after the failure")
    tell("seconds_until_work_resumed", round(time.monotonic() - well_again, 1))
    uploader.wait_until_all_are_through(seconds=120)
    slowest = max(uploader.seconds[failed_from:])
    tell("slowest_upload_seconds", round(slowest, 2))
    tell("usual_upload_seconds", round(usual, 2))
    assert slowest <= ANSWER_SECONDS + usual
    assert set(uploader.statuses()[known:]) == {"succeeded"}
    assert uploader.results()[known:] == [1] * 10


@pytest.mark.parametrize("fail", SHORT)
def test_uploads_are_answered_while_the_broker_fails_and_read_soon_after(
    light: Uploader, record_property: Callable[..., None], fail: Fail
) -> None:
    # Frozen for longer than a connection's own patience: shorter, and the worker notices nothing.
    old = 12 if fail is frozen else 3
    uploads_are_answered_and_read_soon_after(light, fail, Times(old=old, resume=30), record_property)


@pytest.mark.nightly
@pytest.mark.tensorflow
@pytest.mark.parametrize("fail", FAILURES)
def test_the_same_with_the_real_network_and_the_times_of_an_installation(
    start_stack: StartStack, record_property: Callable[..., None], fail: Fail
) -> None:
    uploader = start_stack("valkey")
    uploader.stack.start_worker()
    uploads_are_answered_and_read_soon_after(uploader, fail, Times(old=15, resume=30), record_property)
