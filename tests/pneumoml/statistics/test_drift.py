"""The stability index: hand-made values, its size by chance, the card's reference."""

import math

import numpy as np
import pytest

from pneumoml.statistics.drift import band, expected_by_chance, histogram, stability_index


def test_two_bins_by_hand() -> None:
    index = stability_index(
        [499, 499], [199, 799]
    )  # with half a film in each bin: 0.5/0.5 and 0.2/0.8 nearly
    assert index == pytest.approx(-0.3 * math.log(0.4) + 0.3 * math.log(1.6), abs=0.002)
    assert stability_index([30, 5, 20], [30, 5, 20]) == 0
    assert math.isfinite(stability_index([100, 0], [0, 100]))


def test_without_a_shift_it_is_on_average_what_is_said() -> None:
    generator = np.random.default_rng(1)
    shares = np.full(10, 0.1)
    draws = [
        stability_index(
            generator.multinomial(600, shares).tolist(), generator.multinomial(200, shares).tolist()
        )
        for _ in range(400)
    ]
    assert np.mean(draws) == pytest.approx(expected_by_chance(10, 600, 200), rel=0.1)


def test_bands() -> None:
    assert [band(index) for index in (0, 0.0999, 0.1, 0.2499, 0.25, 3)] == [
        "small", "small", "moderate", "moderate", "large", "large"
    ]  # fmt: skip


@pytest.mark.parametrize(("reference", "found"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([1, 2], [1, 2, 3])])
def test_histograms_without_films_are_refused(reference: list[int], found: list[int]) -> None:
    with pytest.raises(ValueError, match="histograms"):
        stability_index(reference, found)


def test_a_histogram_counts_every_film_once() -> None:
    counts = histogram(np.array([0.0, 0.05, 0.1, 0.999, 1.0]))
    assert counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
