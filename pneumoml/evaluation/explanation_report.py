"""The explanation report card of one model version: tests of its Grad-CAM maps on validation films."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pneumoml.cards.artifact import Artifact, add_to_card
from pneumoml.cards.card import MapLimits
from pneumoml.explain import reliability
from pneumoml.explain.gradcam import DEFAULT_LAYER, CamPass, FusedCam
from pneumoml.explain.reliability import agreement, map_flags, outside_thorax, rank_correlation
from pneumoml.imaging.preprocess import PreprocessConfig, prepare, shrink
from pneumoml.network.predictor import load_network
from pneumoml.network.vgg16 import HEAD_UNITS, LOGIT_LAYER
from pneumoml.statistics.intervals import wilson
from pneumoml.statistics.metrics import Floats, bootstrap, flag_rate
from pneumoml.training.dataset import LabelledFilm, load_pixels
from pneumoml.training.progress import Report, told

Grey = NDArray[np.uint8]
Film = NDArray[np.float32]

SHIFT = 8  # pixels of the squashed film: half a field of the map
STEPS = 8
BLUR = 12.0
# A rank correlation below this counts as another map.
OTHER_MAP = 0.5
SOURCES = [
    "Weight randomisation: Adebayo et al. 2018, Sanity Checks for Saliency Maps.",
    "Deletion and insertion: Petsiuk, Das and Saenko 2018, RISE.",
    "HiResCAM and its comparison with Grad-CAM: Draelos and Carin 2020, Use HiResCAM instead of Grad-CAM.",
    "Grad-CAM: Selvaraju et al. 2017.",
]
_HEAD = (*(f"dense{number}" for number in range(1, len(HEAD_UNITS) + 1)), LOGIT_LAYER)
_LAST_BLOCK = tuple(f"block5_conv{number}" for number in (1, 2, 3))


@dataclass(frozen=True)
class Sizes:
    """How many films: of either class in all, and of those above the operating point for the costly tests."""

    of_each_class: int = 50
    above: int = 30
    draws: int = 2


@dataclass(frozen=True, eq=False)
class Seen:
    """One validation film: who, its squashed pixels uint8 (h, w), the network's input and what it says."""

    patient: str
    small: Grey
    film: Film
    seen: CamPass
    probability: float


class _Network:
    """One version's network, its weights open to change, with maps and probabilities out of it."""

    def __init__(self, artifact: Artifact) -> None:
        self.card = artifact.card
        self.config = PreprocessConfig.from_card(artifact.card.preprocessing)
        self.model = load_network(artifact)
        self.cam = FusedCam(self.model)
        self._scores = tf.function(lambda films: self.model(films, training=False), reduce_retracing=True)

    def look(self, patient: str, pixels: Grey) -> Seen:
        small = shrink(pixels, self.config)
        film = prepare(small, self.config)
        seen = self.cam(film[None])
        return Seen(patient, small, film, seen, self.card.calibration.probability(seen.logit))

    def probabilities(self, films: Film) -> Floats:
        logits = self._scores(tf.constant(films)).numpy()[:, 0]
        return np.array([self.card.calibration.probability(float(logit)) for logit in logits])


def report_card(
    artifact: Artifact,
    films: Sequence[LabelledFilm],
    sizes: Sizes | None = None,
    seed: int = 0,
    progress: Report | None = None,
) -> dict[str, Any]:
    """Test the maps on validation films ("val"); return the card's "explanation" entry as plain values.

    Raises `DatasetRefused` (film_unreadable), `ArtifactRefused`, and `ValueError` where no validation film
    lies above the operating point.
    """
    sizes = sizes or Sizes()
    network, generator = _Network(artifact), np.random.default_rng(seed)
    chosen = list(_chosen(films, sizes.of_each_class, seed))
    looked = [network.look(film.patient, load_pixels(film)) for film in told(chosen, "maps", progress)]
    threshold = artifact.card.threshold
    above = [one for one in looked if one.probability >= threshold and one.seen.gradcam.max() > 0][
        : sizes.above
    ]
    if not above:
        raise ValueError("no validation film lies above the operating point, so there is no map to test")
    found: dict[str, Any] = {
        "about": "Grad-CAM at "
        + DEFAULT_LAYER
        + " on validation films above the operating point. The tests show "
        "whether maps follow the network and the film; none shows that a map marks disease.",
        **_faithfulness(network, above, generator, progress),
        "stability": _stability(network, above, progress),
        "outside_thorax": _outside(above),
        "agreement_with_hirescam": _measure(
            above, [agreement(one.seen.gradcam, one.seen.hirescam) for one in above]
        ),
    }
    found["weight_randomisation"] = _randomisation(network, above, sizes.draws, generator, progress)
    limits = _limits(found["weight_randomisation"])
    found["unreliable_maps"] = _unreliable(looked, artifact, MapLimits(**limits))
    return {**found, "limits": limits, "sources": SOURCES}


def write_report_card(artifact: Artifact, entry: Mapping[str, Any]) -> Artifact:
    """Put what `report_card` gave into the version's card."""
    return add_to_card(artifact, {"explanation": dict(entry)})


def _chosen(films: Sequence[LabelledFilm], each: int, seed: int) -> Iterator[LabelledFilm]:
    """Validation films, as many of either class, classes in turn, in an order of `seed`."""
    orders = []
    for label in (0, 1):
        of_class = [film for film in films if film.split == "val" and film.label == label]
        order = np.random.default_rng((seed, label)).permutation(len(of_class))[:each]
        orders.append([of_class[index] for index in order])
    for pair in zip(*orders, strict=False):
        yield from pair


def _measure(
    films: Sequence[Seen], values: Sequence[float], name: str = "rank_correlation"
) -> dict[str, Any]:
    """Mean over films with its 95 % bootstrap interval over patients."""
    numbers = np.asarray(values, dtype=np.float64)
    interval = bootstrap(lambda index: float(numbers[index].mean()), [film.patient for film in films])
    return {"n": len(films), name: float(numbers.mean()), f"{name}_ci": list(interval)}


def _randomisation(
    network: _Network,
    films: Sequence[Seen],
    draws: int,
    generator: np.random.Generator,
    progress: Report | None,
) -> dict[str, Any]:
    """Shuffle the weights, the dense layers first, then block 5 too; compare each map with the true one."""
    rows: dict[str, list[list[float]]] = {"dense_layers": [], "dense_layers_and_block_5": []}
    trained = {name: network.model.get_layer(name).get_weights() for name in (*_HEAD, *_LAST_BLOCK)}
    for draw in range(draws):
        for name, layers in zip(rows, (_HEAD, _LAST_BLOCK), strict=True):
            for layer in layers:
                _shuffle(network.model.get_layer(layer), generator)
            shuffled = told(films, f"random weights {draw + 1}: {name.replace('_', ' ')}", progress)
            rows[name].append(
                [rank_correlation(one.seen.gradcam, network.cam(one.film[None]).gradcam) for one in shuffled]
            )
        for name, weights in trained.items():
            network.model.get_layer(name).set_weights(weights)
    means = {name: np.mean(values, axis=0) for name, values in rows.items()}
    return {name: {**_measure(films, list(values)), "draws": draws} for name, values in means.items()}


def _shuffle(layer: keras.layers.Layer, generator: np.random.Generator) -> None:
    """Put a layer's weights in random order: random, and of the trained ones' distribution."""
    layer.set_weights(
        [generator.permutation(array.ravel()).reshape(array.shape) for array in layer.get_weights()]
    )


def _limits(randomisation: dict[str, Any]) -> dict[str, Any]:
    return {
        "least_strength": reliability.LEAST_STRENGTH,
        "most_outside": reliability.MOST_OUTSIDE,
        "least_agreement": reliability.LEAST_AGREEMENT,
        "depends_on_weights": all(
            row["rank_correlation_ci"][1] < OTHER_MAP for row in randomisation.values()
        ),
    }


def _faithfulness(
    network: _Network, films: Sequence[Seen], generator: np.random.Generator, progress: Report | None
) -> dict[str, Any]:
    """Areas under deletion and insertion curves, by heat and in random order, and what heat gains over it."""
    areas = np.array(
        [_areas(network, one, generator) for one in told(films, "deletion and insertion", progress)]
    )
    found: dict[str, Any] = {}
    for name, column, sign in (("deletion", 0, -1.0), ("insertion", 1, 1.0)):
        gains = sign * (areas[:, column] - areas[:, 2])
        better = int((gains > 0).sum())
        found[name] = {
            **_measure(films, list(areas[:, column]), "area"),
            **_measure(films, list(areas[:, 2]), "area_in_random_order"),
            **_measure(films, list(gains), "gain_over_random_order"),
            "better_than_random": better / len(films),
            "better_than_random_ci": list(wilson(better, len(films))),
        }
    return found


def _areas(network: _Network, one: Seen, generator: np.random.Generator) -> tuple[float, float, float]:
    """Areas under the calibrated probability: hottest fields blurred first, shown first, random order.

    A random order blurred first is one shown first the other way round, so that one curve stands for both.
    """
    cam = one.seen.gradcam
    hottest = np.argsort(-cam.ravel(), kind="stable")
    orders = (hottest[::-1], hottest, generator.permutation(cam.size))
    blurred = cv2.GaussianBlur(one.film, (0, 0), BLUR)
    shown = [
        np.where(_mask(order[: cam.size * step // STEPS], cam.shape, len(one.film)), one.film, blurred)
        for order in orders
        for step in range(1, STEPS)
    ]
    inner = network.probabilities(np.stack([*shown, blurred]).astype(np.float32))
    curves = inner[:-1].reshape(len(orders), STEPS - 1)
    deletion, insertion, chance = (
        float(np.trapezoid([inner[-1], *curve, one.probability], dx=1 / STEPS)) for curve in curves
    )
    return deletion, insertion, chance


def _mask(fields: NDArray[np.intp], shape: tuple[int, ...], side: int) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    mask.ravel()[fields] = 1
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST)[..., None] > 0)


def _stability(network: _Network, films: Sequence[Seen], progress: Report | None) -> dict[str, Any]:
    """Shift the film up, down, left and right; compare its map, shifted back, with the first one."""
    values = []
    for one in told(films, "small shifts", progress):
        found = []
        for down, across in ((SHIFT, 0), (-SHIFT, 0), (0, SHIFT), (0, -SHIFT)):
            moved = network.look(one.patient, _moved(one.small, down, across)).seen.gradcam
            scale = 1 / (1 - 2 * network.config.crop)
            back = _moved(_enlarged(moved), -round(down * scale), -round(across * scale))
            found.append(rank_correlation(_fields(_enlarged(one.seen.gradcam)), _fields(back)))
        values.append(float(np.mean(found)))
    return {**_measure(films, values), "shift_in_pixels_of_224": SHIFT}


def _moved(pixels: NDArray[Any], down: int, across: int) -> NDArray[Any]:
    matrix = np.array([[1, 0, across], [0, 1, down]], dtype=np.float32)
    height, width = pixels.shape
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _enlarged(cam: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(cam, (224, 224), interpolation=cv2.INTER_LINEAR))


def _fields(cam: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of an enlarged map in 12 by 12 fields: what a shift brought in is left out."""
    return np.asarray(cv2.resize(cam[16:-16, 16:-16], (12, 12), interpolation=cv2.INTER_AREA))


def _outside(films: Sequence[Seen]) -> dict[str, Any]:
    even = outside_thorax(np.ones_like(films[0].seen.gradcam))
    return {
        **_measure(films, [outside_thorax(one.seen.gradcam) for one in films], "share_of_heat"),
        "share_for_an_even_map": even,
        "thorax": reliability.THORAX,
    }


def _unreliable(films: Sequence[Seen], artifact: Artifact, limits: MapLimits) -> dict[str, Any]:
    """How many maps the rule for single maps calls unreliable, on either side of the operating point."""
    reference = artifact.card.cam_reference or 1.0
    flags = [
        map_flags(one.seen.gradcam, one.seen.hirescam, reference=reference, limits=limits) for one in films
    ]
    rows: dict[str, Any] = {}
    for name, wanted in (("above_the_operating_point", True), ("below_the_operating_point", False)):
        mine = [
            found
            for one, found in zip(films, flags, strict=True)
            if (one.probability >= artifact.card.threshold) is wanted
        ]
        flagged = sum(bool(found) for found in mine)
        rows[name] = {
            **flag_rate(flagged, len(mine)),
            "codes": dict(sorted(Counter(code for found in mine for code in found).items())),
        }
    return rows
