"""Typed access to a valid card: what programs compare with, and what it may lack."""

from typing import Any

import pytest

from pneumoml.cards.card import ModelCard, parse_card
from pneumoml.statistics.metrics import Confusion
from tests.support.cards import stored_card


def card(**metrics: Any) -> ModelCard:
    return parse_card(stored_card(metrics=metrics))


@pytest.mark.parametrize("counts", [None, 7, [1] * 9, [0] * 10, ["1"] * 10, [-1] * 10])
def test_a_card_without_a_usable_histogram_has_none(counts: Any) -> None:
    assert card(score_histogram={"counts": counts}).score_histogram is None
    assert card(score_histogram=counts).score_histogram is None
    assert card().score_histogram is None


def test_the_cards_histogram_is_found() -> None:
    assert card(score_histogram={"counts": [1] * 10}).score_histogram == [1] * 10


@pytest.mark.parametrize(
    "confusion",
    [
        None,
        [],
        {},
        {"tn": 1, "fp": 1, "fn": 1},
        {"tn": 1, "fp": 1, "fn": 0, "tp": 0},
        {"tn": -1, "fp": 2, "fn": 1, "tp": 1},
        {"tn": True, "fp": 2, "fn": 1, "tp": 1},
        {"tn": "1", "fp": 2, "fn": 1, "tp": 1},
    ],
)
def test_a_card_without_usable_counts_has_none(confusion: Any) -> None:
    assert card(validation={"confusion": confusion}).validation_counts is None
    assert card(validation=confusion).validation_counts is None
    assert card().validation_counts is None


def test_the_cards_counts_are_found() -> None:
    found = card(validation={"confusion": {"tn": 148, "fp": 13, "fn": 10, "tp": 456}})
    assert found.validation_counts == Confusion(148, 13, 10, 456)


@pytest.mark.parametrize(("value", "reference"), [(2, 2.0), (0.5, 0.5), (0, None), (True, None), ("2", None)])
def test_the_reference_strength_is_a_number_above_0_or_missing(value: Any, reference: float | None) -> None:
    assert card(cam_reference=value).cam_reference == reference
