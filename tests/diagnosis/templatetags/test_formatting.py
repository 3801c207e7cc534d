"""Template filters that write numbers and durations."""

from datetime import timedelta

import pytest

from diagnosis.templatetags.formatting import minutes, percent, score


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "<1%"),
        (0.0049, "<1%"),
        (0.005, "<1%"),
        (0.006, "1%"),
        (0.5, "50%"),
        (0.994, "99%"),
        (0.995, ">99%"),
        (0.998, ">99%"),
        (1.0, ">99%"),
        (None, ""),
    ],
)
def test_a_probability_is_never_written_as_certain(share: float | None, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("share", "percentage", "number"),
    [
        (0.0, "<0.1%", "<0.001"),
        (0.00049, "<0.1%", "<0.001"),
        (0.7812, "78.1%", "0.781"),
        (1.0, ">99.9%", ">0.999"),
    ],
)
def test_with_decimals_too_nothing_is_certain(share: float, percentage: str, number: str) -> None:
    assert (percent(share, 1), score(share)) == (percentage, number)


@pytest.mark.parametrize(("seconds", "words"), [(0, "1 minute"), (60, "1 minute"), (900, "15 minutes")])
def test_a_waiting_time_is_written_in_minutes(seconds: int, words: str) -> None:
    assert minutes(timedelta(seconds=seconds)) == words
