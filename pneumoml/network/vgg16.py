"""The network: VGG16 without top, global average pooling, three dense layers, one logit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from pneumoml.network.precision import BFLOAT16, FLOAT32

ARCHITECTURE = "vgg16-gap-512-256-128"
INPUT_SIZE = 224
HEAD_UNITS = (512, 256, 128)
DROPOUTS = (0.5, 0.3, 0.2)
# (filters, convolutions) of the five blocks: configuration D of Simonyan & Zisserman 2015.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
LOGIT_LAYER = "logit"


class BaseWeightsRefused(ValueError):  # noqa: N818 - the name says what happened
    """Base weights that cannot be loaded: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def build_network(
    *,
    input_size: int | None = INPUT_SIZE,
    dropouts: Sequence[float] = DROPOUTS,
    precision: str = FLOAT32,
) -> keras.Model:
    """Build the network with random weights, as one flat graph under Keras's VGG16 layer names.

    Input: float32 (n, input_size, input_size, 3) from `preprocess.prepare`; with `input_size` None any size
    of at least 32. Output: logits, float32 (n, 1), from the layer "logit"; the sigmoid is taken outside.
    With `precision` bfloat16 the convolutions compute in it, over float32 weights; the dense layers do not.
    """
    film = keras.Input((input_size, input_size, 3), name="film")
    policy = "mixed_bfloat16" if precision == BFLOAT16 else None
    tensor = _head(_convolutions(film, range(1, 6), policy), dropouts)
    return keras.Model(film, tensor, name=ARCHITECTURE.replace("-", "_"))


def _convolutions(tensor: Any, blocks: range, policy: str | None = None) -> Any:
    for block in blocks:
        filters, convolutions = _BLOCKS[block - 1]
        for number in range(1, convolutions + 1):
            name = f"block{block}_conv{number}"
            layer = keras.layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=name, dtype=policy
            )
            tensor = layer(tensor)
        tensor = keras.layers.MaxPooling2D(2, name=f"block{block}_pool", dtype=policy)(tensor)
    return tensor


def _head(tensor: Any, dropouts: Sequence[float]) -> Any:
    tensor = keras.layers.GlobalAveragePooling2D(name="pool")(tensor)
    for number, (units, rate) in enumerate(zip(HEAD_UNITS, dropouts, strict=True), start=1):
        tensor = keras.layers.Dense(units, activation="relu", name=f"dense{number}")(tensor)
        tensor = keras.layers.Dropout(rate, name=f"dropout{number}")(tensor)
    return keras.layers.Dense(1, name=LOGIT_LAYER)(tensor)


def trunk_grid(trained_blocks: int = 1) -> tuple[int, int]:
    """Pixels of the film to a field of the trunk's output, and its channels."""
    frozen = len(_BLOCKS) - trained_blocks
    return int(2**frozen), _BLOCKS[frozen - 1][0]


def build_trunk(trained_blocks: int = 1) -> keras.Model:
    """Build the blocks before the last `trained_blocks` (1 to 4), the frozen part.

    Input: float32 (n, h, w, 3). Output: float32, fields and channels as `trunk_grid` says: of blocks 1 to 4
    (n, h/16, w/16, 512).
    """
    film = keras.Input((None, None, 3), name="film")
    return keras.Model(film, _convolutions(film, range(1, len(_BLOCKS) + 1 - trained_blocks)), name="trunk")


def build_tail(dropouts: Sequence[float] = DROPOUTS, trained_blocks: int = 1) -> keras.Model:
    """Build the last `trained_blocks` (1 to 4) blocks and the head, the trained part.

    Input: the trunk's output, float32 (n, h, w, channels). Output: logits, float32 (n, 1).
    """
    features = keras.Input((None, None, trunk_grid(trained_blocks)[1]), name="features")
    blocks = range(len(_BLOCKS) + 1 - trained_blocks, len(_BLOCKS) + 1)
    return keras.Model(features, _head(_convolutions(features, blocks), dropouts), name="tail")


def layer_weights(model: keras.Model) -> dict[str, NDArray[np.floating[Any]]]:
    """Name each weight array "layer/variable", e.g. "block1_conv1/kernel"."""
    return {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }


def set_layer_weights(model: keras.Model, weights: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    """Set every weight of `model` by its name; names the model does not have are passed over.

    Raises `BaseWeightsRefused` (weights_incomplete) where one is missing or of another shape.
    """
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            if name not in weights or tuple(weights[name].shape) != tuple(variable.shape):
                raise BaseWeightsRefused(
                    "weights_incomplete",
                    f"The weights do not fit this network: “{name}” is missing or differs.",
                )
            variable.assign(np.asarray(weights[name], dtype=np.float32))


def base_weights(path: Path | None) -> dict[str, NDArray[np.floating[Any]]]:
    """Read a VGG16 base: a Keras .weights.h5 without top, or Keras's own ImageNet weights (downloaded once).

    Returns "layer/variable" to float32 arrays. Raises `BaseWeightsRefused` (base_weights_missing,
    base_weights_unreadable, base_weights_download).
    """
    if path is None:
        try:
            return layer_weights(keras.applications.VGG16(include_top=False, weights="imagenet"))
        except Exception as error:
            raise BaseWeightsRefused(
                "base_weights_download",
                "The ImageNet weights could not be fetched. Check the network, or give --base-weights FILE.",
            ) from error
    if not path.is_file():
        raise BaseWeightsRefused("base_weights_missing", f"There is no file of base weights at {path}.")
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(None, None, 3))
    try:
        base.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise BaseWeightsRefused(
            "base_weights_unreadable", f"{path.name} does not hold the weights of a VGG16 without top."
        ) from error
    return layer_weights(base)
