"""Kappa: known values, the textbook variance, subjects that count once."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pneumoml.statistics.agreement import cohen_kappa, share_by_subject
from pneumoml.statistics.intervals import wilson


def table(cells: list[list[int]]) -> tuple[list[str], list[str]]:
    pairs = [
        (str(i), str(j)) for i, row in enumerate(cells) for j, count in enumerate(row) for _ in range(count)
    ]
    return [one for one, _ in pairs], [two for _, two in pairs]


def test_the_textbook_example() -> None:
    """Fleiss, Levin and Paik (2003), table 18.1: kappa 0.676, standard error 0.088."""
    first, second = table([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    found = cohen_kappa(first, second, range(100))
    assert found.value == pytest.approx(0.676, abs=0.0005)
    assert found.low is not None
    error = (found.value - found.low) / 1.959964
    assert error == pytest.approx(0.088, abs=0.001)
    assert (found.n, found.clusters) == (100, 100)


def test_the_value_is_that_of_scikit_learn_on_any_readings() -> None:
    generator = np.random.default_rng(7)
    for _ in range(5):
        first = [str(one) for one in generator.integers(0, 3, 60)]
        second = [str(one) for one in generator.integers(0, 3, 60)]
        found = cohen_kappa(first, second, range(60))
        assert found.value == pytest.approx(cohen_kappa_score(first, second))


def test_a_subject_read_four_times_counts_once() -> None:
    first, second = table([[30, 6], [4, 20]])
    alone = cohen_kappa(first, second, range(60))
    fourfold = cohen_kappa(first * 4, second * 4, list(range(60)) * 4)
    naive = cohen_kappa(first * 4, second * 4, range(240))
    assert (alone.value, alone.low, alone.high) == pytest.approx(
        (fourfold.value, fourfold.low, fourfold.high)
    )
    assert alone.low is not None
    assert naive.low is not None
    assert (naive.value - naive.low) * 2 == pytest.approx(alone.value - alone.low, rel=0.01)
    assert fourfold.clusters == 60


def test_perfect_agreement_has_no_interval_and_one_finding_no_kappa() -> None:
    first, _ = table([[10, 0], [0, 10]])
    perfect = cohen_kappa(first, first, range(20))
    assert math.isclose(perfect.value, 1.0)
    assert (perfect.low, perfect.high) == (None, None)
    for nothing in ([], ["normal"] * 9):
        with pytest.raises(ValueError, match="two findings"):
            cohen_kappa(nothing, nothing, range(9))


def test_a_share_of_single_films_has_nearly_wilsons_interval_and_repeats_do_not_narrow_it() -> None:
    hits = [True] * 80 + [False] * 20
    alone = share_by_subject(hits, range(100))
    assert alone.value == 0.8
    assert (alone.low, alone.high) == pytest.approx(wilson(80, 100), abs=0.01)
    fourfold = share_by_subject(hits * 4, list(range(100)) * 4)
    assert (fourfold.low, fourfold.high) == pytest.approx((alone.low, alone.high))
    every = share_by_subject([True] * 40, list(range(10)) * 4)
    assert (every.value, every.low) == pytest.approx((1.0, wilson(10, 10)[0]))
    divided = share_by_subject([True, False] * 10, [number // 2 for number in range(20)])
    assert (divided.value, divided.n, divided.clusters) == (0.5, 20, 10)
