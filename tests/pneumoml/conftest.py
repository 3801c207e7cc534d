"""A random-weight artefact for tests that load TensorFlow: the real network, written once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pneumoml.cards.artifact import Artifact, write_artifact
from tests.support.cards import CARD


@pytest.fixture(scope="session")
def random_network() -> Any:
    """The network with seeded random weights."""
    import keras

    from pneumoml.network.vgg16 import build_network

    keras.utils.set_random_seed(3)
    return build_network()


@pytest.fixture(scope="session")
def random_artifact(random_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """That network written as a model version."""
    from pneumoml.network.vgg16 import layer_weights

    folder: Path = tmp_path_factory.mktemp("models") / "test-1"
    return write_artifact(folder, CARD, layer_weights(random_network))


@pytest.fixture(scope="session")
def small_artifact(random_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The same with an input of 96 pixels, a fifth of the computing: for tests that read many films."""
    from pneumoml.network.vgg16 import layer_weights

    folder: Path = tmp_path_factory.mktemp("models") / "test-1"
    return write_artifact(folder, {**CARD, "preprocessing": {"size": 96}}, layer_weights(random_network))
