"""Metrics agree with scikit-learn and SciPy; intervals hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from pneumoml.statistics import metrics


@pytest.fixture(scope="module", params=range(5))
def drawn(request: pytest.FixtureRequest) -> tuple[metrics.Floats, metrics.Floats]:
    generator = np.random.default_rng(request.param)
    labels = (generator.random(300) < 0.6).astype(np.float64)
    scores = np.clip(generator.normal(0.35 + 0.3 * labels, 0.2), 0, 1).round(2)
    return labels, scores


def test_metrics_agree_with_scikit_learn(drawn: tuple[metrics.Floats, metrics.Floats]) -> None:
    labels, scores = drawn
    predicted = (scores >= 0.4).astype(int)
    found = metrics.summary(labels, scores, 0.4, [str(index) for index in range(300)], repeats=20)
    assert found["auc"] == pytest.approx(reference.roc_auc_score(labels, scores))
    assert found["auc_pr"] == pytest.approx(reference.average_precision_score(labels, scores))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(labels, predicted))
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(labels, predicted))
    assert found["sensitivity"] == pytest.approx(reference.recall_score(labels, predicted))
    assert found["specificity"] == pytest.approx(reference.recall_score(labels, predicted, pos_label=0))
    assert found["precision"] == pytest.approx(reference.precision_score(labels, predicted))
    assert found["npv"] == pytest.approx(reference.precision_score(labels, predicted, pos_label=0))
    assert found["f1"] == pytest.approx(reference.f1_score(labels, predicted))
    assert found["brier"] == pytest.approx(reference.brier_score_loss(labels, scores))
    (tn, fp), (fn, tp) = reference.confusion_matrix(labels, predicted).tolist()
    assert found["confusion"] == {"tn": tn, "fp": fp, "fn": fn, "tp": tp}


def test_every_metric_carries_an_interval_around_it(drawn: tuple[metrics.Floats, metrics.Floats]) -> None:
    labels, scores = drawn
    found = metrics.summary(labels, scores, 0.5, [str(index) for index in range(300)], repeats=200)
    for name in ("auc", "accuracy", "sensitivity", "specificity", "precision", "npv", "f1", "brier"):
        low, high = found[f"{name}_ci"]
        assert 0 <= low < found[name] < high <= 1, name


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (7, 10), (10, 10), (342, 390)])
def test_wilson_interval_agrees_with_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert metrics.wilson(successes, trials) == pytest.approx((expected.low, expected.high))


def test_no_trials_say_nothing() -> None:
    assert metrics.wilson(0, 0) == (0, 1)
    assert metrics.share(0, 0) == 0


def test_ece_is_nought_for_a_calibrated_and_large_for_an_overconfident_reader() -> None:
    labels = np.array([0, 0, 0, 1] * 25, dtype=np.float64)
    assert metrics.ece(labels, np.full(100, 0.25)) == pytest.approx(0)
    assert metrics.ece(labels, np.full(100, 0.95)) == pytest.approx(0.7)


def test_bootstrap_draws_whole_patients() -> None:
    values = np.repeat([0.0, 1.0], 50)
    apart = metrics.bootstrap(lambda index: float(values[index].mean()), [str(i) for i in range(100)])
    together = metrics.bootstrap(lambda index: float(values[index].mean()), ["a"] * 50 + ["b"] * 50)
    assert together == pytest.approx((0, 1))
    assert 0.3 < apart[0] < apart[1] < 0.7


def test_one_class_alone_has_no_auc() -> None:
    with pytest.raises(ValueError, match="both classes"):
        metrics.fast_auc(np.ones(4), np.arange(4.0))


def test_predictive_values_fall_with_prevalence() -> None:
    # 87.7 % and 90.2 %: by hand, 0.877·0.1 / (0.877·0.1 + 0.098·0.9) = 0.4986.
    assert metrics.predictive_values(0.877, 0.902, 0.1)[0] == pytest.approx(0.4986, abs=1e-3)
    assert metrics.predictive_values(0.877, 0.902, 0.0) == (0, 1)
