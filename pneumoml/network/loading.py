"""Loading a version in the fastest arithmetic whose results agree with float32."""

from __future__ import annotations

from pathlib import Path

from pneumoml.cards.artifact import Artifact
from pneumoml.explain.gradcam import DEFAULT_LAYER
from pneumoml.network.precision import AUTO
from pneumoml.network.precision_benchmark import best_precision
from pneumoml.network.predictor import Predictor


def load_best(
    artifact: Artifact,
    *,
    layer: str = DEFAULT_LAYER,
    precision: str = AUTO,
    notes: Path | None = None,
) -> Predictor:
    """Load in the named precision or, with "auto", in the fastest that agrees with float32 on this CPU.

    `notes` is a file that remembers what was found out, see `precision_benchmark.best_precision`.
    """
    if precision == AUTO:
        precision = best_precision(artifact, layer=layer, notes=notes)
    return Predictor.load(artifact, layer=layer, precision=precision)
