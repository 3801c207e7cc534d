"""The fused pass compared with a plain, eager computation of the papers' formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.explain.gradcam import CamPass, FusedCam, LayerUnknown, target_layers
from pneumoml.imaging.preprocess import PreprocessConfig, prepare
from tests.support.inputs import films

pytestmark = pytest.mark.tensorflow

SIZES = {"block5_conv3": 14, "block5_pool": 7, "block4_conv3": 28, "block3_pool": 28}


@pytest.fixture(scope="module")
def film() -> NDArray[np.float32]:
    return prepare(films.chest_like(), PreprocessConfig())[None]


def reference(model: Any, film: NDArray[np.float32], layer: str) -> CamPass:
    """Grad-CAM and HiResCAM step by step: layers called one after the other."""
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tensor = tf.constant(film)
        for part in model.layers[1:]:
            tensor = part(tensor, training=False)
            if part.name == layer:
                activations = tensor
                tape.watch(activations)
            if part.name == "pool":
                pooled = tensor.numpy()[0]
        logit = tensor[:, 0]
    gradients = tape.gradient(logit, activations).numpy()[0]
    values = activations.numpy()[0]
    gradcam = np.zeros(values.shape[:2], np.float64)
    for channel in range(values.shape[-1]):
        gradcam += gradients[..., channel].mean() * values[..., channel]
    hirescam = (gradients * values).sum(axis=-1)
    return CamPass(float(logit[0]), np.maximum(gradcam, 0), np.maximum(hirescam, 0), pooled)


@pytest.mark.parametrize("layer", sorted(SIZES))
def test_fused_pass_equals_the_reference(random_network: Any, film: NDArray[np.float32], layer: str) -> None:
    fused, expected = FusedCam(random_network, layer)(film), reference(random_network, film, layer)
    assert fused.logit == pytest.approx(expected.logit, abs=1e-4)
    assert fused.gradcam.shape == fused.hirescam.shape == (SIZES[layer], SIZES[layer])
    assert fused.gradcam.dtype == np.float32
    assert expected.gradcam.max() > 0
    scale = float(max(expected.gradcam.max(), expected.hirescam.max()))
    assert np.abs(fused.gradcam - expected.gradcam).max() < 1e-4 * scale
    assert np.abs(fused.hirescam - expected.hirescam).max() < 1e-4 * scale
    assert fused.pooled.shape == (512,)
    assert np.abs(fused.pooled - expected.pooled).max() < 1e-4 * float(expected.pooled.max())


def test_logit_is_that_of_the_whole_network(random_network: Any, film: NDArray[np.float32]) -> None:
    whole = float(random_network(film, training=False)[0, 0])
    assert FusedCam(random_network)(film).logit == pytest.approx(whole, abs=1e-4)


def test_same_film_gives_the_same_bits(random_network: Any, film: NDArray[np.float32]) -> None:
    fused = FusedCam(random_network)
    first, second = fused(film), fused(film)
    assert first.logit == second.logit
    assert np.array_equal(first.gradcam, second.gradcam)


def test_map_depends_on_the_film(random_network: Any, film: NDArray[np.float32]) -> None:
    fused = FusedCam(random_network)
    assert not np.allclose(fused(film).gradcam, fused(film[:, ::-1]).gradcam)


@pytest.mark.parametrize("layer", ["", "block9_conv1", "dense1", "logit", "film", "pool"])
def test_layer_without_a_map_is_refused(random_network: Any, layer: str) -> None:
    with pytest.raises(LayerUnknown, match="block5_conv3") as caught:
        FusedCam(random_network, layer)
    assert caught.value.code == "layer_unknown"


def test_every_convolution_and_pooling_can_be_the_target(random_network: Any) -> None:
    layers = target_layers(random_network)
    assert len(layers) == 13 + 5
    assert (layers[0], layers[-2]) == ("block1_conv1", "block5_conv3")


def test_frozen_weights_give_the_same_pass_and_stay_when_the_model_changes(
    random_network: Any, film: NDArray[np.float32]
) -> None:
    free, frozen = FusedCam(random_network), FusedCam(random_network, frozen=True)
    expected, found = free(film), frozen(film)
    assert found.logit == pytest.approx(expected.logit, abs=1e-5)
    assert np.allclose(found.gradcam, expected.gradcam, rtol=1e-4, atol=1e-4 * expected.gradcam.max())
    bias = random_network.get_layer("logit").bias
    bias.assign_add([1.0])
    try:
        assert free(film).logit == pytest.approx(expected.logit + 1, abs=1e-4)
        assert frozen(film).logit == found.logit
    finally:
        bias.assign_sub([1.0])
