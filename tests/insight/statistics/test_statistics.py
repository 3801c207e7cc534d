"""Statistics through the API: what may be asked for, and how."""

from typing import Any

import pytest

from tests.support.api import assert_problem, client_of
from tests.support.cast import Cast

STATISTICS = "/api/v1/statistics/"


def ask(cast: Cast, /, **query: str) -> Any:
    return client_of(cast.rania).get(STATISTICS, query)


def test_the_last_week_is_that_of_the_day_asked_for(cast: Cast) -> None:
    answer = ask(cast, until="2026-01-07", weeks="4").json()
    assert (answer["first_day"], answer["last_day"]) == ("2025-12-15", "2026-01-11")


@pytest.mark.parametrize(
    "day",
    [
        "07/01/2026",
        "7.1.2026",
        "2026-1-7",
        "20260107",
        "2026-W02-3",
        " 2026-01-07",
        "2026-01-07\n",
        "2026-01-07T00:00",
        "Jan 7 2026",
        "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0667",
        "2026-02-30",
        "1999-12-31",
    ],
)
def test_a_day_that_is_written_otherwise_than_described_is_refused(cast: Cast, day: str) -> None:
    problem = assert_problem(ask(cast, until=day), 400, "invalid")
    assert [error["field"] for error in problem["errors"]] == ["until"]


@pytest.mark.parametrize("name", ["project", "weeks", "until", "version"])
def test_a_parameter_without_a_value_is_refused_rather_than_guessed(cast: Cast, name: str) -> None:
    problem = assert_problem(ask(cast, **{name: ""}), 400, "invalid")
    assert "has no value" in problem["detail"]


def test_a_parameter_that_is_none_is_named(cast: Cast) -> None:
    assert "since" in assert_problem(ask(cast, since="2026-01-07"), 400, "invalid")["detail"]
