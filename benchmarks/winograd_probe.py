"""What Winograd's convolutions would save: CPU time, first pass and memory, beside the direct ones we have.

    .venv/bin/python -m benchmarks.winograd_probe direct
    .venv/bin/python -m benchmarks.winograd_probe winograd

One plan a process, so that memory can be compared. Only the convolutional part of the shipped network is
computed, on noise; `winograd` takes F(4x4, 3x3) in blocks 1 to 3 and F(2x2, 3x3) in block 4 (Lavin & Gray,
"Fast Algorithms for Convolutional Neural Networks", 2016), compiled by XLA, and tells how far its features
lie from the direct ones. Not part of the product: decision 0008 says why.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.comparison.shipped import newest_version
from pneumoml.cards.artifact import load_weights

CONVOLUTIONS = (2, 2, 3, 3, 3)  # of each block
PLANS = {"direct": {}, "winograd": {1: 4, 2: 4, 3: 4, 4: 2}}  # side of the output tiles, by block
# The transforms of input, kernel and output, by the side of the output tile.
INPUT = {
    2: np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], float),
    4: np.array(
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        float,
    ),
}
KERNEL = {
    2: np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]),
    4: np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24,
}
OUTPUT = {
    2: np.array([[1, 1, 1, 0], [0, 1, -1, -1]], float),
    4: np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], float),
}
PASSES = 20


def transformed(kernel: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Bring a kernel (3, 3, in, out) into the transformed space: ((side + 2)², in, out)."""
    found = np.einsum("ia,abco,jb->ijco", KERNEL[side], kernel.astype(np.float64), KERNEL[side])
    return found.reshape(-1, *kernel.shape[2:]).astype(np.float32)


def _sum(factors: NDArray[np.float64], parts: list[Any]) -> Any:
    return sum(
        part if factor == 1 else factor * part for factor, part in zip(factors, parts, strict=True) if factor
    )


def _both_ways(matrix: NDArray[np.float64], tiles: list[list[Any]]) -> list[list[Any]]:
    """Multiply the matrix from the left and its transpose from the right, the tiles' places unrolled."""
    half = [[_sum(row, [line[column] for line in tiles]) for column in range(len(tiles))] for row in matrix]
    return [[_sum(row, line) for row in matrix] for line in half]


def convolution(side: int) -> Callable[..., Any]:
    """Return a compiled 3×3 convolution of one picture with bias and ReLU, of this tile size."""
    import tensorflow as tf

    wide = side + 2

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def run(picture: Any, kernel: Any, bias: Any) -> Any:
        height, channels, filters = picture.shape[1], picture.shape[3], kernel.shape[2]
        count = -(-height // side)
        last = (count - 1) * side + 1
        border = [1, count * side + 1 - height]
        padded = tf.pad(picture, [[0, 0], border, border, [0, 0]])[0]
        places = range(wide)
        tiles = [[padded[i : i + last : side, j : j + last : side] for j in places] for i in places]
        flat = [part for line in _both_ways(INPUT[side], tiles) for part in line]
        product = tf.matmul(tf.reshape(tf.stack(flat), (wide * wide, count * count, channels)), kernel)
        product = tf.reshape(product, (wide, wide, count, count, filters))
        back = _both_ways(OUTPUT[side], [[product[i, j] for j in places] for i in places])
        whole = tf.stack([tf.stack(line, axis=2) for line in back], axis=1)
        whole = tf.reshape(whole, (1, count * side, count * side, filters))[:, :height, :height]
        return tf.nn.relu(whole + bias)

    return run


def features(weights: dict[str, Any], plan: dict[int, int]) -> Callable[[Any], Any]:
    """Return the convolutional part: float32 (1, 224, 224, 3) to (1, 7, 7, 512)."""
    import tensorflow as tf

    compiled = {side: convolution(side) for side in set(plan.values())}

    def layer(block: int, number: int) -> Callable[[Any], Any]:
        name = f"block{block}_conv{number}"
        kernel, bias = weights[f"{name}/kernel"].astype(np.float32), weights[f"{name}/bias"]
        constant, shift = tf.constant(kernel), tf.constant(bias.astype(np.float32))
        side = plan.get(block, 0) if name != "block1_conv1" else 0  # three channels: nothing to gain
        if not side:
            return lambda x: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, constant, 1, "SAME"), shift))
        constant = tf.constant(transformed(kernel, side))
        return lambda x: compiled[side](x, constant, shift)

    layers: list[Callable[[Any], Any]] = []
    for block, convolutions in enumerate(CONVOLUTIONS, start=1):
        layers += [layer(block, number) for number in range(1, convolutions + 1)]
        layers.append(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"))

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(picture: Any) -> Any:
        for one in layers:
            picture = one(picture)
        return picture

    return run


def main() -> None:
    """Measure one plan and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("plan", choices=sorted(PLANS))
    plan = parser.parse_args().plan
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as pneumoweb/settings.py
    import tensorflow as tf

    weights = load_weights(newest_version())
    film = tf.constant(np.random.default_rng(0).normal(0, 50, (1, 224, 224, 3)).astype(np.float32))
    run, began = features(weights, PLANS[plan]), time.perf_counter()
    found = run(film).numpy()
    first = time.perf_counter() - began
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(PASSES):
        run(film).numpy()
    answer = {
        "plan": plan,
        "first_pass_seconds": round(first, 1),
        "seconds": round((time.perf_counter() - wall) / PASSES, 3),
        "cpu_seconds": round((time.process_time() - cpu) / PASSES, 3),
        "resident_mb": psutil.Process().memory_info().rss >> 20,
    }
    if PLANS[plan]:
        direct = features(weights, {})(film).numpy()
        answer["largest_difference"] = float(np.abs(found - direct).max() / np.abs(direct).max())
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
