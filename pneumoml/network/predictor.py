"""One model version, ready to analyse films: weights loaded, network compiled, results as numbers.

TensorFlow is imported when a predictor is loaded, so importing this module costs nothing. Load it in the
process that predicts: a network built before a fork hangs in the child.
"""

from __future__ import annotations

import ctypes
import gc
import math
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pneumoml.cards.artifact import Artifact, ArtifactRefused, load_scope, load_weights
from pneumoml.cards.card import Calibration, ModelCard
from pneumoml.explain.gradcam import DEFAULT_LAYER, CamPass, FusedCam, LayerUnknown
from pneumoml.explain.reliability import map_flags
from pneumoml.imaging.preprocess import Area, PreprocessConfig, PreprocessRefused, prepare, seen_area, shrink
from pneumoml.network.precision import FLOAT32
from pneumoml.scope.gate import ScopeReference, check, part_seen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FilmResult", "LayerUnknown", "Predictor", "Timings"]


@dataclass(frozen=True)
class Timings:
    """Milliseconds spent on one film."""

    preprocess_ms: float
    forward_ms: float


@dataclass(frozen=True, eq=False)
class FilmResult:
    """What the network says about one film.

    `probability` is the sigmoid of the logit, `calibrated_probability` that after the card's calibration, the
    one to compare with the operating point. `cam` is the Grad-CAM map of `layer`, float32 (h, w), not
    negative, in logit units (not scaled to its own maximum), and covers `cam_area` of the film;
    `cam_strength` is its largest value. `scope_flags` are codes of `scope.SENTENCES`, None where the film
    could not be checked; `map_flags` are codes of `explanations.SENTENCES`, None where the card sets no
    limits for maps. `precision` is the arithmetic of the convolutions, one of `precision.PRECISIONS`.
    """

    logit: float
    probability: float
    calibrated_probability: float
    cam: NDArray[np.float32]
    cam_area: Area
    cam_strength: float
    layer: str
    timings: Timings
    scope_flags: tuple[str, ...] | None = None
    map_flags: tuple[str, ...] | None = None
    precision: str = FLOAT32


class Predictor:
    """Reads films with one model version; safe to call from several threads."""

    def __init__(
        self,
        card: ModelCard,
        config: PreprocessConfig,
        fused: FusedCam,
        scope: ScopeReference | None = None,
        precision: str = FLOAT32,
    ) -> None:
        """Use `load`; this takes the parts ready made."""
        self.card = card
        self.precision = precision
        self._config = config
        self._fused = fused
        self._scope = scope

    @classmethod
    def load(
        cls,
        artifact: Artifact,
        *,
        layer: str = DEFAULT_LAYER,
        threads: int | None = None,
        precision: str = FLOAT32,
    ) -> Predictor:
        """Build the network, load the artefact's weights, compile, and run once to warm up.

        `threads` caps TensorFlow's threads within one operation; it has no effect once TensorFlow has run in
        this process. Raises `ArtifactRefused` (as `load_weights`, and foreign_architecture or card_invalid
        where weights or preprocessing do not fit the network) and `LayerUnknown`.
        """
        if threads is not None:
            _limit_threads(threads)
        config = _config(artifact.card)
        fused = FusedCam(load_network(artifact, precision=precision), layer, frozen=True)
        predictor = cls(artifact.card, config, fused, _scope_reference(artifact), precision)
        _return_memory()  # before the first pass takes its own, so that what loading needed leaves no gaps
        predictor.predict(np.zeros((config.size, config.size), np.uint8))
        _return_memory()
        return predictor

    def with_scope(self, reference: ScopeReference) -> Predictor:
        """The same predictor, judging scope by another reference than the artefact's."""
        return Predictor(self.card, self._config, self._fused, reference, self.precision)

    @property
    def layer(self) -> str:
        """The layer whose map is taken."""
        return self._fused.layer

    def predict(self, pixels: NDArray[np.uint8], *, colour_fraction: float = 0.0) -> FilmResult:
        """Read one grey film, uint8 (H, W). Raises `PreprocessRefused` for anything else.

        `colour_fraction` (0–1) is the share of coloured pixels before the film became grey (`Film`).
        """
        started = perf_counter()
        small = shrink(pixels, self._config)
        film = prepare(small, self._config)[None]
        prepared = perf_counter()
        seen = self._fused(film)
        finished = perf_counter()
        area = seen_area(small, self._config)
        return FilmResult(
            logit=seen.logit,
            probability=Calibration(temperature=1.0, bias=0.0).probability(seen.logit),
            calibrated_probability=self.card.calibration.probability(seen.logit),
            cam=seen.gradcam,
            cam_area=area,
            cam_strength=float(seen.gradcam.max()),
            layer=self.layer,
            timings=Timings((prepared - started) * 1000, (finished - prepared) * 1000),
            scope_flags=check(
                part_seen(small, area),
                seen.pooled,
                colour_fraction=colour_fraction,
                reference=self._scope,
            ),
            map_flags=self._map_flags(seen),
            precision=self.precision,
        )

    def _map_flags(self, seen: CamPass) -> tuple[str, ...] | None:
        limits, reference = self.card.map_limits, self.card.cam_reference
        if limits is None or reference is None or self.layer != DEFAULT_LAYER:
            return None
        return map_flags(seen.gradcam, seen.hirescam, reference=reference, limits=limits)

    def bare_pass(self, film: NDArray[np.float32]) -> CamPass:
        """Run the compiled pass alone on one prepared film, float32 (1, size, size, 3)."""
        return self._fused(film)

    def explain(self, pixels: NDArray[np.uint8]) -> CamPass:
        """Return logit, Grad-CAM and HiResCAM of one grey film, uint8 (H, W), for comparing explanations."""
        return self._fused(prepare(pixels, self._config)[None])


def load_network(artifact: Artifact, *, precision: str = FLOAT32) -> Any:
    """Build the version's network, a Keras model, with its weights. Raises as `Predictor.load` does."""
    from pneumoml.network.vgg16 import build_network

    config, weights = _config(artifact.card), load_weights(artifact)
    model = build_network(input_size=config.size, precision=precision)
    _fill(model, weights)
    return model


def _config(card: ModelCard) -> PreprocessConfig:
    try:
        return PreprocessConfig.from_card(card.preprocessing)
    except PreprocessRefused as refused:
        raise ArtifactRefused("card_invalid", refused.message) from refused


def _scope_reference(artifact: Artifact) -> ScopeReference | None:
    if artifact.card.scope is None:
        return None
    try:
        return ScopeReference.from_arrays(load_scope(artifact), artifact.card.scope.limits)
    except ValueError as error:
        if isinstance(error, ArtifactRefused):
            raise
        raise ArtifactRefused(
            "card_invalid", f"The model's scope reference is not usable: {error}."
        ) from error


def _return_memory() -> None:
    """Give what loading needed and no longer needs back to the system, where its C library can."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _limit_threads(threads: int) -> None:
    import tensorflow as tf

    with suppress(RuntimeError):  # too late in this process; the cap is a wish, not a condition
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _fill(model: Any, weights: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    """Set every weight by its "layer/variable" name; `ArtifactRefused` unless names and shapes agree."""
    variables = {
        f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights
    }
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if {name: array.shape for name, array in weights.items()} != shapes:
        raise ArtifactRefused(
            "foreign_architecture", "The weights do not fit the network that the card names."
        )
    for name, variable in variables.items():
        variable.assign(weights[name].astype(np.float32))
    if not all(math.isfinite(float(array.sum(dtype=np.float64))) for array in weights.values()):
        raise ArtifactRefused("weights_unsafe", "The weights hold values that are not numbers.")
