"""When one film's map is called unreliable, and how two maps are compared."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.cards.card import MapLimits
from pneumoml.explain.reliability import SENTENCES, agreement, map_flags, outside_thorax, rank_correlation

LIMITS = MapLimits(least_strength=0.1, most_outside=0.5, least_agreement=0.5, depends_on_weights=True)


def hot(rows: slice, columns: slice, level: float = 1.0) -> NDArray[np.float32]:
    """A map with one hot region on a gentle slope, so that its fields can be ranked."""
    cam = np.linspace(0, 0.01, 196, dtype=np.float32).reshape(14, 14)
    cam[rows, columns] += level
    return cam


LUNG = hot(slice(5, 9), slice(3, 6))
CORNER = hot(slice(0, 2), slice(0, 4))


def flags(
    gradcam: NDArray[np.float32], hirescam: NDArray[np.float32], limits: MapLimits = LIMITS
) -> list[str]:
    return list(map_flags(gradcam, hirescam, reference=1.0, limits=limits))


def test_a_strong_map_inside_the_thorax_on_which_both_methods_agree_is_reliable() -> None:
    assert flags(LUNG, LUNG) == []


def test_a_weak_map_is_called_weak_and_compared_no_further() -> None:
    assert flags(CORNER * 0.05, LUNG) == ["map_weak"]
    assert flags(np.zeros((14, 14), np.float32), LUNG) == ["map_weak"]


def test_heat_at_the_edges_is_named() -> None:
    assert flags(CORNER, CORNER) == ["map_outside"]


def test_methods_that_disagree_are_named() -> None:
    assert flags(LUNG, LUNG.max() - LUNG) == ["map_disputed"]


def test_a_version_whose_maps_ignore_its_weights_has_no_reliable_map() -> None:
    untested = MapLimits(0.1, 0.5, 0.5, depends_on_weights=False)
    assert flags(LUNG, LUNG, untested) == ["map_untested"]
    assert flags(LUNG * 0, LUNG, untested) == ["map_weak", "map_untested"]


def test_share_of_heat_outside_the_thorax() -> None:
    inside, outside = np.zeros((14, 14)), np.zeros((14, 14))
    inside[2:12, 1:13] = 1
    outside[:2] = 1
    assert outside_thorax(inside) == 0
    assert outside_thorax(outside) == 1
    assert outside_thorax(inside + outside) == pytest.approx(28 / 148)
    assert outside_thorax(np.zeros((14, 14))) == pytest.approx(1 - 120 / 196)


def test_rank_correlation_is_spearmans() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    first = generator.integers(0, 5, (6, 6)).astype(float)
    second = first + generator.integers(0, 4, (6, 6)).astype(float)
    expected = spearmanr(first.ravel(), second.ravel()).statistic
    assert rank_correlation(first, second) == pytest.approx(expected)
    assert rank_correlation(first, np.ones((6, 6))) == 0


def test_agreement_tolerates_gradients_at_one_of_four_positions() -> None:
    sparse = np.zeros((14, 14))
    sparse[::2, ::2] = 4 * LUNG[::2, ::2]
    assert rank_correlation(LUNG, sparse) < 0.6
    assert agreement(np.kron(LUNG[::2, ::2], np.ones((2, 2))), sparse) == pytest.approx(1)


def test_every_flag_has_one_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
