"""Calibration recovers what was distorted; the operating point follows its policy."""

from __future__ import annotations

import numpy as np
import pytest

from pneumoml.statistics.calibration import choose_threshold, fit_scaling, sigmoid
from pneumoml.statistics.metrics import Floats, ece


def test_scaling_undoes_an_overconfident_and_shifted_logit() -> None:
    generator = np.random.default_rng(1)
    honest = generator.normal(0.5, 2.0, 20_000)
    labels = (generator.random(20_000) < sigmoid(honest)).astype(np.float64)
    distorted = honest * 3 + 1.5
    scaling = fit_scaling(labels, distorted)
    assert scaling.temperature == pytest.approx(3, rel=0.05)
    assert scaling.bias == pytest.approx(-0.5, abs=0.06)
    assert ece(labels, sigmoid(distorted)) > 0.05
    assert ece(labels, scaling.probabilities(distorted)) < 0.015


def spread(lowest_sick: float) -> tuple[Floats, Floats]:
    """A hundred normal films at 0.05 and a hundred sick ones from `lowest_sick` to 1."""
    labels = np.repeat([0.0, 1.0], 100)
    return labels, np.concatenate([np.full(100, 0.05), np.linspace(lowest_sick, 1.0, 100)])


def kept(one: tuple[Floats, Floats], threshold: float) -> float:
    labels, probabilities = one
    return float((probabilities[labels == 1] >= threshold).mean())


def test_threshold_keeps_the_sensitivity_over_all_sets_together() -> None:
    sets = {"clean": spread(0.6), "hard": spread(0.4)}
    threshold = choose_threshold(sets, limits=(0.1, 0.9)).threshold
    assert np.mean([kept(one, threshold) for one in sets.values()]) >= 0.95
    assert np.mean([kept(one, threshold + 0.01) for one in sets.values()]) < 0.95
    assert kept(sets["hard"], threshold) < 0.95


def test_threshold_keeps_a_least_sensitivity_in_the_hardest_set() -> None:
    sets = {"clean": spread(0.9), "another": spread(0.9), "hard": spread(0.2)}
    threshold = choose_threshold(sets, limits=(0.1, 0.9)).threshold
    assert kept(sets["hard"], threshold) >= 0.90
    assert kept(sets["hard"], threshold + 0.01) < 0.90
    assert np.mean([kept(one, threshold) for one in sets.values()]) > 0.96


def test_borderline_band_holds_the_threshold() -> None:
    choice = choose_threshold({"clean": spread(0.4)}, limits=(0.1, 0.9))
    assert choice.borderline[0] <= choice.threshold <= choice.borderline[1]


def test_threshold_stays_within_its_limits_and_says_so() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    choice = choose_threshold({"clean": (labels, np.array([0.01, 0.02, 0.98, 0.99]))}, limits=(0.3, 0.7))
    assert choice.threshold == 0.7
    assert "0.30 to 0.70" in choice.policy


def test_sigmoid_is_safe_for_any_logit() -> None:
    assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == pytest.approx([0, 0.5, 1])
