"""AUC with its interval and the ROC's points: checked against scikit-learn and DeLong's own sums."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from pneumoml.statistics.discrimination import Floats, auc_by_subject, roc_points


def films(n: int = 80, seed: int = 3) -> tuple[Floats, Floats]:
    """Labels and overlapping scores with ties."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.4).astype(np.float64)
    return labels, np.round(np.clip(labels * 0.25 + generator.random(n) * 0.75, 0, 1), 2)


def delong_error(labels: Floats, scores: Floats) -> float:
    """DeLong's standard error, pair by pair."""
    sick, well = scores[labels == 1], scores[labels == 0]
    wins = (sick[:, None] > well[None, :]) + 0.5 * (sick[:, None] == well[None, :])
    parts = (wins.mean(axis=1).var(ddof=1) / len(sick), wins.mean(axis=0).var(ddof=1) / len(well))
    return math.sqrt(sum(parts))


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def test_the_area_is_that_of_scikit_learn_and_the_error_that_of_delong() -> None:
    labels, scores = films()
    found = auc_by_subject(labels, scores, range(len(labels)))
    assert found.value == pytest.approx(roc_auc_score(labels, scores))
    assert found.low is not None
    assert found.high is not None
    width = (logit(found.high) - logit(found.low)) / 2 / 1.959964
    assert width * found.value * (1 - found.value) == pytest.approx(delong_error(labels, scores))
    assert found.low < found.value < found.high


def test_films_of_one_subject_widen_the_interval_as_one_film_would() -> None:
    labels, scores = films()
    alone = auc_by_subject(labels, scores, range(80))
    fourfold = auc_by_subject(np.tile(labels, 4), np.tile(scores, 4), list(range(80)) * 4)
    assert (alone.value, alone.low, alone.high) == pytest.approx(
        (fourfold.value, fourfold.low, fourfold.high)
    )
    assert (fourfold.n, fourfold.clusters) == (320, 80)


def test_separate_classes_have_no_interval_and_one_class_no_area() -> None:
    found = auc_by_subject(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), range(4))
    assert (found.value, found.low, found.high) == (1.0, None, None)
    with pytest.raises(ValueError, match="both classes"):
        auc_by_subject(np.ones(4), np.ones(4), range(4))


def test_the_points_lie_on_scikit_learns_curve_and_thinning_keeps_both_ends() -> None:
    labels, scores = films()
    false, true, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    points = roc_points(labels, scores)
    assert [point[0] for point in points] == list(thresholds)
    assert [point[1:] for point in points] == [pytest.approx(pair) for pair in zip(false, true, strict=True)]
    thinned = roc_points(labels, scores, most=10)
    assert len(thinned) <= 12
    assert (thinned[0][1:], thinned[-1][1:]) == ((0.0, 0.0), (1.0, 1.0))
