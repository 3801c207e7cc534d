"""The network: its layers, its parts, its weights by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumoml.network.vgg16 import (
    BaseWeightsRefused,
    base_weights,
    build_tail,
    build_trunk,
    layer_weights,
    set_layer_weights,
    trunk_grid,
)

pytestmark = pytest.mark.tensorflow


def test_network_is_vgg16_with_the_head_and_a_logit(random_network: Any) -> None:
    names = [layer.name for layer in random_network.layers]
    assert names[1:3] == ["block1_conv1", "block1_conv2"]
    assert names[-1] == "logit"
    assert random_network.output_shape == (None, 1)
    # The second number is the head: 512·512+512, 512·256+256, 256·128+128 and 128+1 weights.
    assert random_network.count_params() == 14_714_688 + 427_009


@pytest.mark.parametrize("trained", [1, 2, 4])
def test_trunk_and_tail_together_are_the_network(random_network: Any, trained: int) -> None:
    weights = layer_weights(random_network)
    trunk, tail = build_trunk(trained), build_tail(trained_blocks=trained)
    assert trunk.output_shape[-1] == trunk_grid(trained)[1]
    set_layer_weights(trunk, weights)
    set_layer_weights(tail, weights)
    film = np.random.default_rng(0).uniform(-100, 130, (1, 224, 224, 3)).astype(np.float32)
    whole = float(random_network(film, training=False)[0, 0])
    assert float(tail(trunk(film, training=False), training=False)[0, 0]) == pytest.approx(
        whole, rel=1e-4, abs=1e-5
    )


def test_missing_weights_are_refused(random_network: Any) -> None:
    weights = layer_weights(random_network)
    del weights["logit/bias"]
    with pytest.raises(BaseWeightsRefused) as caught:
        set_layer_weights(build_tail(), weights)
    assert caught.value.code == "weights_incomplete"


def test_base_weights_that_are_none_have_their_sentence(tmp_path: Path) -> None:
    with pytest.raises(BaseWeightsRefused) as missing:
        base_weights(tmp_path / "none.weights.h5")
    assert missing.value.code == "base_weights_missing"
    broken = tmp_path / "broken.weights.h5"
    broken.write_bytes(b"not HDF5")
    with pytest.raises(BaseWeightsRefused) as unreadable:
        base_weights(broken)
    assert unreadable.value.code == "base_weights_unreadable"
