"""A model version reads films: numbers, calibration, refusals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumoml.cards.artifact import Artifact, ArtifactRefused, load_weights, write_artifact
from pneumoml.imaging.preprocess import PreprocessConfig, PreprocessRefused, prepare
from pneumoml.network.predictor import LayerUnknown, Predictor
from tests.support.cards import CARD
from tests.support.inputs import films

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def predictor(random_artifact: Artifact) -> Predictor:
    return Predictor.load(random_artifact)


def refusal(folder: Path, card: dict[str, Any], weights: dict[str, Any]) -> str:
    with pytest.raises(ArtifactRefused) as caught:
        Predictor.load(write_artifact(folder, card, weights))
    return caught.value.code


def test_result_is_complete_and_consistent(predictor: Predictor) -> None:
    result = predictor.predict(films.chest_like())
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.logit)))
    assert result.calibrated_probability == pytest.approx(1 / (1 + math.exp(-(result.logit / 1.5 + 0.2))))
    assert (result.layer, result.cam.shape) == ("block5_conv3", (14, 14))
    assert result.cam.dtype == np.float32
    assert result.cam.min() >= 0
    assert result.cam_strength == float(result.cam.max())
    assert result.timings.preprocess_ms > 0
    assert result.timings.forward_ms > 0


def test_the_map_says_which_part_of_the_film_it_covers(random_artifact: Artifact, tmp_path: Path) -> None:
    card = {**CARD, "preprocessing": PreprocessConfig(trim=0.2, crop=0.0).to_card()}
    trimming = Predictor.load(write_artifact(tmp_path / "v", card, load_weights(random_artifact)))
    film = np.pad(np.maximum(films.chest_like(224, 184), 40), ((0, 0), (20, 20)))
    assert trimming.predict(film).cam_area == pytest.approx((20 / 224, 0, 204 / 224, 1))


def test_float16_weights_give_nearly_the_logit_of_the_float32_network(
    predictor: Predictor, random_network: Any
) -> None:
    film = films.chest_like()
    whole = float(random_network(prepare(film, PreprocessConfig())[None], training=False)[0, 0])
    assert predictor.predict(film).logit == pytest.approx(whole, rel=0.01, abs=0.005)


def test_same_film_gives_the_same_result(predictor: Predictor) -> None:
    first, second = (predictor.predict(films.chest_like()) for _ in range(2))
    assert first.logit == second.logit
    assert np.array_equal(first.cam, second.cam)


def test_explanation_agrees_with_the_prediction(predictor: Predictor) -> None:
    result, explanation = predictor.predict(films.chest_like()), predictor.explain(films.chest_like())
    assert explanation.logit == result.logit
    assert np.array_equal(explanation.gradcam, result.cam)
    assert explanation.hirescam.shape == result.cam.shape


def test_other_layer_gives_its_own_size_and_the_same_logit(
    random_artifact: Artifact, predictor: Predictor
) -> None:
    other = Predictor.load(random_artifact, layer="block4_pool")
    result = other.predict(films.chest_like())
    assert (other.layer, result.layer, result.cam.shape) == ("block4_pool", "block4_pool", (14, 14))
    assert result.logit == pytest.approx(predictor.predict(films.chest_like()).logit, abs=1e-4)


def test_unknown_layer_is_refused(random_artifact: Artifact) -> None:
    with pytest.raises(LayerUnknown):
        Predictor.load(random_artifact, layer="fc7")


@pytest.mark.parametrize("shape", [(10, 10, 3), (0, 5), (9,)])
def test_anything_but_a_grey_film_is_refused(predictor: Predictor, shape: tuple[int, ...]) -> None:
    with pytest.raises(PreprocessRefused):
        predictor.predict(np.zeros(shape, np.uint8))


def test_weights_of_another_network_are_refused(tmp_path: Path, random_network: Any) -> None:
    from pneumoml.network.vgg16 import layer_weights

    weights = layer_weights(random_network)
    assert refusal(tmp_path / "a", CARD, {**weights, "extra/kernel": np.zeros(2)}) == "foreign_architecture"
    assert refusal(tmp_path / "b", CARD, {**weights, "logit/bias": np.zeros(2)}) == "foreign_architecture"
    renamed = {name.replace("dense1/", "dense9/"): array for name, array in weights.items()}
    assert refusal(tmp_path / "c", CARD, renamed) == "foreign_architecture"
    del weights["logit/bias"]
    assert refusal(tmp_path / "d", CARD, weights) == "foreign_architecture"


def test_unusable_preprocessing_is_refused_before_the_weights_are_read(tmp_path: Path) -> None:
    card = {**CARD, "preprocessing": {"size": "wide"}}
    assert refusal(tmp_path, card, {"logit/bias": np.zeros(1)}) == "card_invalid"


def test_threads_can_be_capped_at_any_time(random_artifact: Artifact) -> None:
    assert Predictor.load(random_artifact, threads=1).predict(films.chest_like()).cam.shape == (14, 14)
