"""The broker is killed, frozen and emptied under load: uploads are answered in time, and nothing is lost."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.reliability.conftest import StartStack
from tests.reliability.helpers.fake_network import SLOW
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
    # The running film is analysed to its end, which cannot be acknowledged.
    wait_until(lambda: "running" not in uploader.statuses(), seconds=60, what="the running film")
    meanwhile()
    uploader.stack.send("broker", signal.SIGCONT)


def emptied(uploader: Uploader, meanwhile: Callable[[], None]) -> None:
    uploader.stack.send("worker", signal.SIGSTOP)  # the films must not be analysed before
    meanwhile()
    uploader.stack.empty_broker()
    uploader.stack.send("worker", signal.SIGCONT)


FAILURES = [killed, frozen, emptied]
# The usual tests freeze it; a killed broker is among the tests of the worker process.
SHORT = [frozen, *(pytest.param(fail, marks=pytest.mark.nightly) for fail in (killed, emptied))]


@dataclass(frozen=True)
class Times:
    """Seconds until a film is sent again, and until work must resume (10 on an idle machine)."""

    old: float
    resume: float


def check_uploads_during_failure(
    uploader: Uploader, fail: Fail, times: Times, record: Callable[..., None]
) -> None:
    """Let the broker fail while six films are uploaded; check the times, and that none is lost."""
    known = len(uploader.statuses())
    for _ in range(3):
        uploader.upload()
    uploader.wait_until_all_are_through(seconds=180)
    # How long an upload takes here without a failure: this machine may be busy.
    usual = max(uploader.seconds[-3:])
    failed_from = len(uploader.seconds)

    def meanwhile() -> None:
        for _ in range(6):
            uploader.upload()
        # Old enough to be sent again; a film that has just arrived has its own message.
        wait_until(lambda: uploader.oldest_wait() > times.old, seconds=60, what="films that wait")

    uploader.upload(subject_code=SLOW)
    uploader.wait_until_one_is_read()
    fail(uploader, meanwhile)
    repaired_at, finished = time.monotonic(), uploader.finished()
    wait_until(lambda: uploader.finished() > finished, seconds=times.resume, what="work after the failure")
    record("seconds_until_work_resumed", round(time.monotonic() - repaired_at, 1))
    uploader.wait_until_all_are_through(seconds=120)
    slowest = max(uploader.seconds[failed_from:])
    record("slowest_upload_seconds", round(slowest, 2))
    record("usual_upload_seconds", round(usual, 2))
    assert slowest <= ANSWER_SECONDS + usual
    assert set(uploader.statuses()[known:]) == {"succeeded"}
    assert uploader.results()[known:] == [1] * 10


@pytest.mark.parametrize("fail", SHORT)
def test_uploads_are_answered_while_the_broker_fails_and_analysed_soon_after(
    light: Uploader, record_property: Callable[..., None], fail: Fail
) -> None:
    # Frozen for longer than a connection's own patience: shorter, and the worker notices nothing.
    old = 12 if fail is frozen else 3
    check_uploads_during_failure(light, fail, Times(old=old, resume=30), record_property)


@pytest.mark.nightly
@pytest.mark.tensorflow
@pytest.mark.parametrize("fail", FAILURES)
def test_the_same_with_the_real_network_and_the_times_of_an_installation(
    start_stack: StartStack, record_property: Callable[..., None], fail: Fail
) -> None:
    uploader = start_stack("valkey")
    uploader.stack.start_worker()
    check_uploads_during_failure(uploader, fail, Times(old=15, resume=30), record_property)
