"""The worker is killed repeatedly while films arrive: none is lost, none is analysed twice."""

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.reliability.conftest import QUICK, StartStack
from tests.reliability.helpers.uploader import Uploader
from tests.support.servers.waiting import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.tensorflow]


# As many films as the network analyses in half a minute on a small machine: a longer queue would measure the
# machine's speed.
MOST_WAITING = 80


def upload_while_the_worker_is_killed(uploader: Uploader, *, films: int, kills: int) -> float:
    """Upload in as many parts as there are kills, kill during each; return the time of the last kill."""
    stack = uploader.stack
    stack.start_worker()
    killed_at = 0.0
    for number in range(kills):
        finished = uploader.finished()
        for _ in range((number + 1) * films // kills - number * films // kills):
            uploader.upload()
        uploader.wait_until_more_are_through(finished)
        wait_until(lambda: uploader.unfinished() <= MOST_WAITING, seconds=180, what="a shorter queue")
        uploader.wait_until_one_is_read()
        killed_at = time.monotonic()
        stack.kill("worker")
        stack.start_worker()
    return killed_at


def check_all_finish_within_a_minute(
    uploader: Uploader, killed_at: float, record: Callable[..., None]
) -> None:
    """Wait for the end; the minute begins when the last worker has loaded its model."""
    uploader.wait_until_more_are_through(uploader.finished())
    uploader.wait_until_all_are_through(seconds=60)
    record("seconds_from_last_kill_to_end", round(time.monotonic() - killed_at, 1))


def test_sixty_films_uploaded_during_six_kills_are_all_analysed_exactly_once(
    start_stack: StartStack, record_property: Callable[..., None]
) -> None:
    uploader = start_stack("valkey", **QUICK)
    killed_at = upload_while_the_worker_is_killed(uploader, films=60, kills=6)
    check_all_finish_within_a_minute(uploader, killed_at, record_property)
    assert uploader.statuses() == ["succeeded"] * 60
    assert uploader.results() == [1] * 60


@pytest.mark.nightly
@pytest.mark.parametrize("broker", ["valkey", "redis"])
def test_five_hundred_films_uploaded_during_forty_kills_are_all_analysed_exactly_once(
    start_stack: StartStack, record_property: Callable[..., None], broker: str
) -> None:
    uploader = start_stack(broker, THROTTLE_UPLOAD="10000/min")
    killed_at = upload_while_the_worker_is_killed(uploader, films=500, kills=40)
    check_all_finish_within_a_minute(uploader, killed_at, record_property)
    assert uploader.statuses() == ["succeeded"] * 500
    assert uploader.results() == [1] * 500


@pytest.mark.nightly
def test_after_ten_kills_of_busy_and_idle_children_the_next_film_begins_within_half_a_minute(
    start_stack: StartStack,
) -> None:
    uploader = start_stack("valkey")
    uploader.stack.start_worker()
    parent = psutil.Process(uploader.stack.processes["worker"].pid)
    for number in range(10):
        if number % 2:
            uploader.upload()
            uploader.wait_until_one_is_read()
        wait_until(lambda: bool(parent.children()), seconds=60, what="a child")
        for child in parent.children():
            os.kill(child.pid, signal.SIGKILL)
        uploader.upload()
        wait_until(lambda: newest_has_begun(uploader), seconds=30, what="the next film")
        uploader.wait_until_all_are_through(seconds=60)
    assert set(uploader.results()) == {1}


def newest_has_begun(uploader: Uploader) -> bool:
    """True when the analysis of the film uploaded last has begun."""
    newest = "select started_at is not null from diagnosis_prediction order by id desc limit 1"
    return bool(uploader.stack.query(newest)[0][0])


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.nightly)])
def test_a_stopped_worker_finishes_its_film_in_time_and_loses_none(
    start_stack: StartStack, times: int
) -> None:
    uploader = start_stack("valkey", **QUICK)
    for _ in range(times):
        uploader.stack.start_worker()
        finished = uploader.finished()
        for _ in range(3):
            uploader.upload()
        uploader.wait_until_more_are_through(finished)
        asked_at = time.monotonic()
        uploader.stack.processes["worker"].send_signal(signal.SIGTERM)
        assert uploader.stack.processes.pop("worker").wait(timeout=35) == 0
        assert time.monotonic() - asked_at < 35
        assert "running" not in uploader.statuses()
    uploader.stack.start_worker()
    uploader.wait_until_all_are_through(seconds=90)
    assert uploader.results() == [1] * 3 * times
    attempts = uploader.stack.query("select distinct attempts from diagnosis_prediction")
    assert attempts == [(1,)]
