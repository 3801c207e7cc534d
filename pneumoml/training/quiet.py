"""A penalty in training on evidence that lies outside the thorax: what Grad-CAM shows, for and against."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from pneumoml.explain.gradcam import DEFAULT_LAYER

_LEAST = 1e-6


class SplitTail:
    """The trained part, split at the last convolution, with the share of its evidence outside the thorax."""

    def __init__(self, tail: keras.Model) -> None:
        """Split `tail`; its variables are shared, not copied."""
        output = tail.get_layer(DEFAULT_LAYER).output
        self._features = keras.Model(tail.input, output)
        self._head = keras.Model(output, tail.output)

    def __call__(self, features: Any, thorax: Any) -> tuple[Any, Any]:
        """Run a batch in training: logits (b,), and the mean share (0–1) of evidence outside the thorax.

        `thorax` is float32 (b, h, w), 1 where a field of the map is thorax. Evidence is the amount of the map
        that Grad-CAM makes before it drops what speaks against: for and against count alike. The weights of
        the channels are taken as given, so the network can only lower the share by what it sees where.
        """
        activations = self._features(features, training=True)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            logits = self._head(activations, training=True)[:, 0]
        gradients = tape.gradient(logits, activations)
        weights = tf.stop_gradient(tf.reduce_mean(gradients, axis=(1, 2), keepdims=True))
        evidence = tf.abs(tf.reduce_sum(weights * activations, axis=-1))
        outside = tf.reduce_sum(evidence * (1.0 - thorax), axis=(1, 2))
        return logits, tf.reduce_mean(outside / (tf.reduce_sum(evidence, axis=(1, 2)) + _LEAST))
