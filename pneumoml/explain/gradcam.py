"""Logit and class-activation maps from one compiled forward pass, split at the target layer.

TensorFlow is imported inside the functions, so importing this module costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_LAYER = "block5_conv3"
POOLING_LAYER = "pool"


class LayerUnknown(ValueError):  # noqa: N818 - the name says what is wrong with the layer
    """A target layer that the network does not have, or that has no map: `code` and `message`."""

    code = "layer_unknown"

    def __init__(self, layer: str, known: tuple[str, ...]) -> None:
        self.message = f"“{layer[:80]}” is no convolution or pooling layer. Choose one of {', '.join(known)}."
        super().__init__(self.message)


@dataclass(frozen=True, eq=False)
class CamPass:
    """Result of one pass: the logit, and two maps float32 (h, w) ≥ 0 of the target layer's size.

    `gradcam` weighs each channel by its mean gradient (Selvaraju et al. 2017); `hirescam` weighs each
    position by its own gradient (Draelos & Carin 2020). Both are of the logit, in its units. `pooled` are the
    features that the network pools before its dense layers, float32 (d,).
    """

    logit: float
    gradcam: NDArray[np.float32]
    hirescam: NDArray[np.float32]
    pooled: NDArray[np.float32]


def target_layers(model: Any) -> tuple[str, ...]:
    """Return the names of the layers that have a map: convolutions and poolings, from input to output."""
    import keras

    kinds = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    return tuple(layer.name for layer in model.layers if isinstance(layer, kinds))


class FusedCam:
    """The network split at one layer, compiled into a single function.

    The gradient runs through the small head behind the layer only, not through the whole network, and not
    through the sigmoid, which would flatten it on clear films.
    """

    def __init__(self, model: Any, layer: str = DEFAULT_LAYER, *, frozen: bool = False) -> None:
        """Split `model` (a functional Keras network that ends in a logit). Raises `LayerUnknown`.

        `frozen` keeps the weights of this moment as constants: faster, since they are packed for the CPU once
        and not at every pass; later changes of the model's weights have no effect.
        """
        import keras

        known = target_layers(model)
        if layer not in known:
            raise LayerUnknown(layer, known)
        self.layer = layer
        output = model.get_layer(layer).output
        features = keras.Model(model.input, output)
        head = keras.Model(output, [model.output, model.get_layer(POOLING_LAYER).output])
        fused = _compiled(features, head, model.input_shape[1:])
        self._pass = _with_constants(fused) if frozen else _with_variables(fused)

    def __call__(self, film: NDArray[np.float32]) -> CamPass:
        """Run one prepared film, float32 (1, size, size, 3)."""
        logit, gradcam, hirescam, pooled = self._pass(film)
        return CamPass(float(logit), gradcam, hirescam, pooled)


def _compiled(features: Any, head: Any, shape: tuple[int | None, ...]) -> Any:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, *shape), tf.float32)], autograph=False)  # type: ignore[untyped-decorator]
    def fused(film: Any) -> Any:
        activations = tf.cast(features(film, training=False), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            logit, pooled = head(activations, training=False)
        gradients = tape.gradient(logit, activations)
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
        gradcam = tf.nn.relu(tf.reduce_sum(weights * activations, axis=-1))
        hirescam = tf.nn.relu(tf.reduce_sum(gradients * activations, axis=-1))
        return logit[0, 0], gradcam[0], hirescam[0], pooled[0]

    return fused


def _with_variables(function: Any) -> Callable[[NDArray[np.float32]], list[Any]]:
    import tensorflow as tf

    return lambda film: [tensor.numpy() for tensor in function(tf.constant(film, tf.float32))]


def _with_constants(function: Any) -> Callable[[NDArray[np.float32]], list[Any]]:
    """Freeze the function's weights into a graph of their own, run by a session.

    A session, because a frozen function is kept several times over: 180 MB more for these weights.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph

    frozen, definition = convert_variables_to_constants_v2_as_graph(function.get_concrete_function())
    film, results = frozen.inputs[0].name, [tensor.name for tensor in frozen.outputs]
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    run: Callable[[NDArray[np.float32]], list[Any]] = tf.compat.v1.Session(graph=graph).make_callable(
        [graph.get_tensor_by_name(name) for name in results], [graph.get_tensor_by_name(film)]
    )
    return run
