"""Texts and figures of a result for people: verdict, bar, timings, map, cautions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.inference.failures import FAILURES
from diagnosis.models import Prediction
from diagnosis.results.rendering import measured_reference, strength_of
from pneumoml.explain import contours, reliability
from pneumoml.explain.heatmap import COLOUR_MAPS, MapStrength
from pneumoml.scope import gate

LEGEND_STOPS = 9
STANDS_OUT_FROM = 0.4
RELATIVE_SENTENCE = gettext_lazy(
    "Colours are relative to this film alone: the model's card has no reference strength."
)
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Verdict:
    """The result as a headline, a sentence, and a tone (above, below, borderline) for the colour."""

    tone: str
    headline: str
    sentence: str


@dataclass(frozen=True)
class Bar:
    """Positions on a bar of 0 to 100: the score, the operating point, both ends of the borderline band."""

    score: float
    threshold: float
    low: float
    high: float

    @property
    def band_width(self) -> float:
        """Width of the borderline band."""
        return round(self.high - self.low, 1)

    @property
    def score_anchor(self) -> str:
        """SVG text-anchor of the score's label, chosen so that the label stays on the bar."""
        return _anchor(self.score, margin=8)

    @property
    def threshold_anchor(self) -> str:
        """SVG text-anchor of the longer label of the operating point."""
        return _anchor(self.threshold, margin=22)


def _anchor(place: float, *, margin: float) -> str:
    if place < margin:
        return "start"
    return "end" if place > 100 - margin else "middle"


@dataclass(frozen=True)
class Caution:
    """Reasons not to rely on the score or the map, as sentences; `checked` False: it was not checked."""

    sentences: list[str]
    checked: bool


@dataclass(frozen=True)
class Tick:
    """A position on the colour scale: per cent of the scale, the map's value there, per cent of its maximum.

    `of_maximum` is None where the map does not reach that far.
    """

    place: int
    value: float
    of_maximum: int | None
    is_contour: bool


@dataclass(frozen=True)
class MapDescription:
    """A sentence on the map's strength, and its scale in numbers.

    `scale_end` is the value at the scale's hot end, in per cent of a typical strong map; `maximum` is the
    map's largest value and `reference` that of a typical strong map (None: not measured), both in the map's
    own units; `peak` is the position of the maximum on the scale, 0 to 100.
    """

    sentence: str
    is_weak: bool
    scale_end: int
    maximum: float
    reference: float | None
    peak: float
    ticks: list[Tick]

    @property
    def peak_mark(self) -> float:
        """Position of the left edge of the maximum's mark, limited so that the mark stays on the scale."""
        return min(self.peak, 99.2)


def verdict(prediction: Prediction) -> Verdict:
    """Say on which side of the operating point the score lies. Call it for a succeeded prediction."""
    above = prediction.outcome == Prediction.Outcome.PNEUMONIA
    if prediction.is_borderline:
        just_above = _("Borderline, just above the operating point")
        just_below = _("Borderline, just below the operating point")
        sentence = _(
            "The score lies in the band around the operating point: it speaks clearly neither for nor "
            "against pneumonia."
        )
        return Verdict("borderline", just_above if above else just_below, sentence)
    if above:
        return Verdict("above", _("Above the operating point"), _("The score speaks for pneumonia."))
    return Verdict("below", _("Below the operating point"), _("The score does not speak for pneumonia."))


def bar(prediction: Prediction) -> Bar:
    """Place score, operating point and band on a bar of 0 to 100, all on the calibrated scale."""
    model = prediction.model_version
    return Bar(
        score=round(100 * (prediction.calibrated_probability or 0.0), 1),
        threshold=round(100 * model.threshold, 1),
        low=round(100 * model.borderline_low, 1),
        high=round(100 * model.borderline_high, 1),
    )


def timings(prediction: Prediction) -> list[tuple[str, str]]:
    """Return labels and formatted durations of waiting, computing and the whole."""
    return [
        (_("Waiting"), duration(_milliseconds(prediction.queued_at, prediction.started_at))),
        (_("Preprocessing"), duration(prediction.preprocess_ms)),
        (_("Network and map"), duration(prediction.forward_ms)),
        (_("Upload to result"), duration(_milliseconds(prediction.queued_at, prediction.finished_at))),
    ]


def _milliseconds(start: datetime, end: datetime | None) -> float | None:
    return max(0.0, (end - start).total_seconds() * 1000) if end else None


def duration(milliseconds: float | None) -> str:
    """Format a duration in milliseconds, seconds or minutes."""
    if milliseconds is None:
        return _("not measured")
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{number_format(seconds, 1)} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def failure_sentence(prediction: Prediction) -> str:
    """Say why the analysis failed; unknown codes get a sentence too."""
    unknown = _("The film could not be read. Tell an administrator.")
    return str(FAILURES.get(prediction.failure_code, unknown))


def describe_map(prediction: Prediction) -> MapDescription:
    """Say how strong the map is, measured against a typical strong map of the same model version."""
    reference, strength = measured_reference(prediction), strength_of(prediction)
    end = max(strength.reference, strength.maximum)
    sentence, weak = _strength_sentence(strength) if reference else (str(RELATIVE_SENTENCE), False)
    return MapDescription(
        sentence=sentence,
        is_weak=weak,
        scale_end=round(100 * max(1.0, strength.ratio)) if reference else 100,
        maximum=strength.maximum,
        reference=reference,
        peak=round(100 * strength.maximum / end, 1),
        ticks=[_tick(place, end, strength.maximum) for place in (0.0, *contours.LEVELS, 1.0)],
    )


def _strength_sentence(strength: MapStrength) -> tuple[str, bool]:
    weak = strength.ratio < STANDS_OUT_FROM
    sentence = (
        _(
            "No region stands out: the map reaches %(share)d%% of the strength of a typical strong map "
            "(%(word)s)."
        )
        if weak
        else _("The map reaches %(share)d%% of the strength of a typical strong map (%(word)s).")
    )
    return sentence % {"share": round(100 * strength.ratio), "word": _(strength.word)}, weak


def _tick(place: float, end: float, maximum: float) -> Tick:
    value = place * end
    reached = maximum > 0 and value <= maximum * (1 + _ROUNDING)
    share = round(100 * value / maximum) if reached else None
    return Tick(round(100 * place), value, share, is_contour=place in contours.LEVELS)


def scope_caution(prediction: Prediction) -> Caution:
    """Say in which way the film is outside what the model can judge. The score is shown all the same."""
    return _caution(prediction.scope_flags, gate.SENTENCES)


def map_caution(prediction: Prediction) -> Caution:
    """Say what makes the map unreliable."""
    return _caution(prediction.map_flags, reliability.SENTENCES)


def _caution(codes: list[str] | None, sentences: Mapping[str, str]) -> Caution:
    unknown = _("A check that this version of the program does not know found fault with it.")
    shown = [_(sentences[code]) if code in sentences else unknown for code in codes or []]
    return Caution(shown, checked=codes is not None)


def legends() -> dict[str, list[str]]:
    """Return for each colour map its colours from cold to hot, `#rrggbb`, evenly spaced."""
    levels = np.linspace(0, 255, LEGEND_STOPS).round().astype(np.uint8).reshape(-1, 1)
    colours = {name: cv2.applyColorMap(levels, number)[:, 0] for name, number in COLOUR_MAPS.items()}
    return {name: [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in ramp] for name, ramp in colours.items()}


def attempts_sentence(prediction: Prediction) -> str:
    """Say which attempt this is, once there was more than one; empty before."""
    if prediction.attempts < 2:
        return ""
    numbers = {"attempt": prediction.attempts, "most": settings.PREDICTION_MAX_ATTEMPTS}
    return _("Attempt %(attempt)d of %(most)d.") % numbers
