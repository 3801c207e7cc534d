"""The shipped version: verified, its page made from its card, its logits on the bundled films unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pneumoml.cards.artifact import load_artifact, shipped_versions
from pneumoml.cards.markdown import render_card
from pneumoml.decoding.images import decode_film

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "pneumoml" / "models"
VERSION = max(shipped_versions(MODELS))


def test_page_of_the_model_card_is_made_from_the_card() -> None:
    card = json.loads((MODELS / VERSION / "card.json").read_text("utf-8"))
    assert (ROOT / "docs" / "model-card.md").read_text("utf-8") == render_card(card)


def test_card_says_where_its_figures_and_weights_come_from() -> None:
    raw = load_artifact(MODELS / VERSION).card.raw
    assert raw["training"]["command"].startswith("manage.py train_model")
    assert raw["metrics"]["validation"]["n"] > 0
    assert raw["metrics"]["cam_reference"] > 0
    assert "Not for clinical use" in raw["intended_use"]
    assert len(raw["limits"]) >= 5


@pytest.mark.tensorflow
def test_reference_logits_are_reproduced() -> None:
    from pneumoml.network.predictor import Predictor

    predictor = Predictor.load(load_artifact(MODELS / VERSION))
    stored = json.loads((Path(__file__).parent / "reference_logits.json").read_text("utf-8"))[VERSION]
    assert len(stored) >= 4
    for name, logit in stored.items():
        film = decode_film((ROOT / "samples" / name).read_bytes()).pixels
        assert predictor.predict(film).logit == pytest.approx(logit, abs=1e-3), name
