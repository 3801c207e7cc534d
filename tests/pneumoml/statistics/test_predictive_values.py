"""Predictive values at a chosen prevalence: Bayes, published intervals, the card's counts."""

import numpy as np
import pytest

from pneumoml.statistics.metrics import Confusion
from pneumoml.statistics.predictive_values import at_prevalence


def test_values_follow_bayes_and_intervals_what_repeated_validations_would_give() -> None:
    counts, prevalence = Confusion(tn=740, fp=65, fn=50, tp=2280), 0.03
    sensitivity, specificity = 2280 / 2330, 740 / 805
    alarms = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
    found = at_prevalence(counts, prevalence)
    assert found.ppv.value == pytest.approx(sensitivity * prevalence / alarms)
    assert found.npv.value == pytest.approx(specificity * (1 - prevalence) / (1 - alarms))
    generator = np.random.default_rng(5)
    hits = generator.binomial(2330, sensitivity, 40_000) / 2330 * prevalence
    false = generator.binomial(805, 1 - specificity, 40_000) / 805 * (1 - prevalence)
    for figure, draws in (
        (found.ppv, hits / (hits + false)),
        (found.npv, (1 - prevalence - false) / (1 - hits - false)),
        (found.alarms, 100 * (hits + false)),
        (found.missed, 100 * (prevalence - hits)),
    ):
        low, high = np.percentile(draws, [2.5, 97.5])
        assert figure.high - figure.low == pytest.approx(high - low, rel=0.06)
        assert figure.low == pytest.approx(low, abs=0.1 * (high - low))


def test_numbers_of_a_hundred_films_add_up() -> None:
    found = at_prevalence(Confusion(tn=148, fp=13, fn=10, tp=456), 0.1)
    assert found.true_alarms.value + found.missed.value == pytest.approx(10)
    assert found.alarms.value == pytest.approx(found.true_alarms.value + found.false_alarms.value)
    assert found.alarms_per_case.value == pytest.approx(found.alarms.value / found.true_alarms.value)
    for figure in vars(found).values():
        assert figure.low < figure.value < figure.high


def test_rarer_disease_means_more_alarms_for_each_case() -> None:
    counts = Confusion(tn=148, fp=13, fn=10, tp=456)
    alarms = [at_prevalence(counts, share).alarms_per_case.value for share in (0.5, 0.1, 0.01, 0.001)]
    assert alarms == sorted(alarms)
    assert alarms[0] == pytest.approx(1.08, abs=0.01)


@pytest.mark.parametrize(
    "counts", [Confusion(20, 0, 5, 15), Confusion(20, 3, 0, 15), Confusion(20, 0, 0, 15)]
)
@pytest.mark.parametrize("prevalence", [0.001, 0.5, 0.99])
def test_an_empty_cell_keeps_every_interval_around_its_figure(counts: Confusion, prevalence: float) -> None:
    for figure in vars(at_prevalence(counts, prevalence)).values():
        assert figure.low <= figure.value <= figure.high
        assert figure.low < figure.high
