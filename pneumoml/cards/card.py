"""The model card (card.json) of one version: validation, and typed access for programs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from pneumoml.statistics.drift import BINS
from pneumoml.statistics.metrics import Confusion

ARCHITECTURES = ("vgg16-gap-512-256-128",)
MAX_WEIGHTS_BYTES = 1024 * 1024 * 1024
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_LARGEST_LOGIT = 700.0


class ArtifactRefused(ValueError):  # noqa: N818 - the name says what happened to the artefact
    """A model version that is not loaded: `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class WeightsEntry:
    """Name, sha256 (hex), dtype (float16 or float32) and size in bytes of the weights file."""

    file: str
    sha256: str
    dtype: str
    bytes: int


@dataclass(frozen=True)
class ScopeEntry:
    """The file with the version's scope reference, and the limits that count as in scope, by name."""

    file: WeightsEntry
    limits: Mapping[str, float]


@dataclass(frozen=True)
class MapLimits:
    """Limits within which a Grad-CAM map of this version is reliable; see `pneumoml.explain.reliability`.

    `least_strength` is a share of `cam_reference`, `most_outside` a share of the heat, `least_agreement` a
    rank correlation with HiResCAM. `depends_on_weights` is False where the weight-randomisation test failed.
    """

    least_strength: float
    most_outside: float
    least_agreement: float
    depends_on_weights: bool


@dataclass(frozen=True)
class Calibration:
    """Temperature scaling with a bias (Guo et al. 2017; Platt 1999), fitted on validation films."""

    temperature: float
    bias: float

    def probability(self, logit: float) -> float:
        """Calibrated probability (0–1) of one logit: sigmoid(logit / temperature + bias)."""
        scaled = min(max(logit / self.temperature + self.bias, -_LARGEST_LOGIT), _LARGEST_LOGIT)
        return 1 / (1 + math.exp(-scaled))


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold on the calibrated probability, and the band around it that counts as borderline."""

    threshold: float
    borderline_low: float
    borderline_high: float
    policy: str

    def is_positive(self, calibrated_probability: float) -> bool:
        """Whether the film counts as pneumonia: at or above the threshold."""
        return calibrated_probability >= self.threshold

    def is_borderline(self, calibrated_probability: float) -> bool:
        """Whether the film lies in the borderline band, both ends included."""
        return self.borderline_low <= calibrated_probability <= self.borderline_high


@dataclass(frozen=True)
class ModelCard:
    """One version's card: typed access to what programs use; `raw` is the whole card."""

    version: str
    architecture: str
    created: str
    weights: WeightsEntry
    calibration: Calibration
    operating_point: OperatingPoint
    preprocessing: Mapping[str, Any]
    metrics: Mapping[str, Any]
    limits: tuple[str, ...]
    intended_use: str
    licence: str
    scope: ScopeEntry | None
    map_limits: MapLimits | None
    raw: Mapping[str, Any]

    @property
    def weights_sha256(self) -> str:
        """The sha256 (hex) of the weights file."""
        return self.weights.sha256

    @property
    def threshold(self) -> float:
        """The operating point, compared with the calibrated probability."""
        return self.operating_point.threshold

    @property
    def borderline(self) -> tuple[float, float]:
        """Lower and upper end of the borderline band, on the calibrated probability."""
        return self.operating_point.borderline_low, self.operating_point.borderline_high

    @property
    def cam_reference(self) -> float | None:
        """Strength (> 0) of a typical strong Grad-CAM map of this version; None where none was measured."""
        value = self.metrics.get("cam_reference")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return None
        return float(value) if value > 0 and math.isfinite(value) else None

    @property
    def score_histogram(self) -> list[int] | None:
        """Validation films by calibrated probability, in ten equal bins; None where the card holds none."""
        counts = _entry(self.metrics, "score_histogram", "counts")
        return counts if _are_counts(counts) and len(counts) == BINS and any(counts) else None

    @property
    def validation_counts(self) -> Confusion | None:
        """Counts on validation films; None where the card holds none, or none of one class."""
        cells = [_entry(self.metrics, "validation", "confusion", name) for name in ("tn", "fp", "fn", "tp")]
        if not _are_counts(cells):
            return None
        counts = Confusion(*cells)
        return counts if counts.tp + counts.fn and counts.tn + counts.fp else None


def _entry(raw: Any, *path: str) -> Any:
    """Return the entry at `path`, a key for each level; None where there is none."""
    for key in path:
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def _are_counts(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values
    )


def _invalid(where: str, wanted: str) -> ArtifactRefused:
    return ArtifactRefused("card_invalid", f"The model card is not usable: “{where}” must be {wanted}.")


def parse_card(raw: Any) -> ModelCard:
    """Check a decoded card.json and give typed access.

    Raises `ArtifactRefused` (card_invalid, foreign_architecture).
    """
    if not isinstance(raw, dict):
        raise _invalid("card", "an object")
    architecture = _text(raw, "architecture")
    if architecture not in ARCHITECTURES:
        raise ArtifactRefused(
            "foreign_architecture",
            f"This model has the architecture “{architecture[:80]}”, which this program cannot build.",
        )
    limits = raw.get("limits")
    if not isinstance(limits, list) or not all(isinstance(limit, str) for limit in limits):
        raise _invalid("limits", "a list of sentences")
    return ModelCard(
        version=_matching(raw, "version", _VERSION, "letters, digits, dots and dashes"),
        architecture=architecture,
        created=_matching(raw, "created", _DATE, "an ISO date"),
        weights=_weights(_mapping(raw, "weights")),
        calibration=_calibration(_mapping(raw, "calibration")),
        operating_point=_operating_point(_mapping(raw, "operating_point")),
        preprocessing=_mapping(raw, "preprocessing"),
        metrics=_mapping(raw, "metrics"),
        limits=tuple(limits),
        intended_use=_text(raw, "intended_use"),
        licence=_text(raw, "licence"),
        scope=_scope(_mapping(raw, "scope")) if "scope" in raw else None,
        map_limits=_map_limits(_mapping(raw, "explanation")) if "explanation" in raw else None,
        raw=raw,
    )


def _weights(raw: Mapping[str, Any]) -> WeightsEntry:
    size = raw.get("bytes")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MAX_WEIGHTS_BYTES:
        raise _invalid("weights.bytes", "a number of bytes")
    return WeightsEntry(
        file=_matching(raw, "file", _FILE, "a plain file name"),
        sha256=_matching(raw, "sha256", _SHA256, "64 hexadecimal digits"),
        dtype=_matching(raw, "dtype", re.compile("float16|float32"), "float16 or float32"),
        bytes=size,
    )


def _scope(raw: Mapping[str, Any]) -> ScopeEntry:
    limits = _mapping(raw, "limits")
    return ScopeEntry(_weights(_mapping(raw, "file")), {name: _number(limits, name) for name in limits})


def _map_limits(raw: Mapping[str, Any]) -> MapLimits:
    limits = _mapping(raw, "limits")
    depends = limits.get("depends_on_weights")
    if not isinstance(depends, bool):
        raise _invalid("explanation.limits.depends_on_weights", "true or false")
    return MapLimits(
        least_strength=_number(limits, "least_strength"),
        most_outside=_number(limits, "most_outside"),
        least_agreement=_number(limits, "least_agreement"),
        depends_on_weights=depends,
    )


def _calibration(raw: Mapping[str, Any]) -> Calibration:
    temperature, bias = _number(raw, "temperature"), _number(raw, "bias")
    if temperature <= 0:
        raise _invalid("calibration.temperature", "greater than 0")
    return Calibration(temperature=temperature, bias=bias)


def _operating_point(raw: Mapping[str, Any]) -> OperatingPoint:
    threshold = _number(raw, "threshold")
    band = raw.get("borderline")
    if not isinstance(band, list) or len(band) != 2:
        raise _invalid("operating_point.borderline", "two probabilities")
    low, high = (_number({"borderline": end}, "borderline") for end in band)
    if not 0 <= low <= threshold <= high <= 1:
        raise _invalid("operating_point", "0 ≤ low ≤ threshold ≤ high ≤ 1")
    return OperatingPoint(threshold, low, high, _text(raw, "policy"))


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(key, "a text")
    return value


def _matching(raw: Mapping[str, Any], key: str, pattern: re.Pattern[str], wanted: str) -> str:
    value = _text(raw, key)
    if not pattern.fullmatch(value):
        raise _invalid(key, wanted)
    return value


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    if not isinstance(value, dict):
        raise _invalid(key, "an object")
    return value


def _number(raw: Mapping[str, Any], key: str) -> float:
    value = raw.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise _invalid(key, "a number")
    return float(value)
