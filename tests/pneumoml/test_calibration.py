"""Calibration recovers what was distorted; the operating point follows its policy."""

from __future__ import annotations

import numpy as np
import pytest

from pneumoml.calibration import choose_threshold, fit_scaling, sigmoid
from pneumoml.metrics import ece


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


def test_threshold_keeps_the_sensitivity_in_the_hardest_set() -> None:
    labels = np.repeat([0.0, 1.0], 100)
    clean = np.concatenate([np.linspace(0.0, 0.4, 100), np.linspace(0.6, 1.0, 100)])
    hard = np.concatenate([np.linspace(0.0, 0.6, 100), np.linspace(0.4, 1.0, 100)])
    choice = choose_threshold({"clean": (labels, clean), "hard": (labels, hard)}, limits=(0.1, 0.9))
    assert (hard[labels == 1] >= choice.threshold).mean() == pytest.approx(0.95, abs=0.011)
    assert (hard[labels == 1] >= choice.threshold).mean() >= 0.95
    assert 0.42 < choice.threshold < 0.44
    assert choice.borderline[0] <= choice.threshold <= choice.borderline[1]


def test_threshold_stays_within_its_limits_and_says_so() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    choice = choose_threshold({"clean": (labels, np.array([0.01, 0.02, 0.98, 0.99]))}, limits=(0.3, 0.7))
    assert choice.threshold == 0.7
    assert "0.30 to 0.70" in choice.policy


def test_sigmoid_is_safe_for_any_logit() -> None:
    assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == pytest.approx([0, 0.5, 1])
