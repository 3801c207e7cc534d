"""Predictive values of an operating point at another prevalence than that of the validation films."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pneumoml.statistics.intervals import LEVEL_Z, from_logit, wilson
from pneumoml.statistics.metrics import Confusion, predictive_values


@dataclass(frozen=True)
class Range:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Range:
        """Multiply by `factor`, which is not negative."""
        return Range(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class AtPrevalence:
    """Predictive values (0–1), alarms per true case, and numbers per 100 films."""

    ppv: Range
    npv: Range
    alarms_per_case: Range
    alarms: Range
    true_alarms: Range
    false_alarms: Range
    missed: Range


def at_prevalence(counts: Confusion, prevalence: float) -> AtPrevalence:
    """Compute predictive values from `counts` (of both classes) at a prevalence between 0 and 1, exclusive.

    Predictive values by Bayes' theorem, their intervals on the logit scale (Mercaldo, Lau and Zhou 2007; half
    a film added to each count where one is 0); shares of one class by Wilson, all alarms together by Zou and
    Donner's (2008) way of adding two such intervals. Films count as independent, the prevalence as known.
    """
    sick, well = counts.tp + counts.fn, counts.tn + counts.fp
    sensitivity = Range(counts.tp / sick, *wilson(counts.tp, sick))
    fall_out = Range(counts.fp / well, *wilson(counts.fp, well))
    true_alarms, false_alarms = sensitivity.times(100 * prevalence), fall_out.times(100 * (1 - prevalence))
    misses = Range(1 - sensitivity.value, 1 - sensitivity.high, 1 - sensitivity.low)
    ppv, npv = _predictive(counts, prevalence)
    return AtPrevalence(
        ppv=ppv,
        npv=npv,
        alarms_per_case=Range(1 / ppv.value if ppv.value else math.inf, 1 / ppv.high, 1 / ppv.low),
        alarms=_added(true_alarms, false_alarms),
        true_alarms=true_alarms,
        false_alarms=false_alarms,
        missed=misses.times(100 * prevalence),
    )


def _predictive(counts: Confusion, prevalence: float) -> tuple[Range, Range]:
    tn, fp, fn, tp = (float(cell) for cell in (counts.tn, counts.fp, counts.fn, counts.tp))
    ppv, npv = predictive_values(tp / (tp + fn), tn / (tn + fp), prevalence)
    if 0 in (tn, fp, fn, tp):
        tn, fp, fn, tp = tn + 0.5, fp + 0.5, fn + 0.5, tp + 0.5
    sick, well, odds = tp + fn, tn + fp, prevalence / (1 - prevalence)
    for_alarm = math.sqrt(1 / tp - 1 / sick + 1 / fp - 1 / well)
    for_none = math.sqrt(1 / fn - 1 / sick + 1 / tn - 1 / well)
    positive = math.log((tp / sick) / (fp / well) * odds)
    negative = math.log((tn / well) / (fn / sick) / odds)
    return _on_logit(ppv, positive, for_alarm), _on_logit(npv, negative, for_none)


def _on_logit(value: float, centre: float, error: float) -> Range:
    """The interval around `centre` on the logit scale; it always holds the value itself."""
    low, high = from_logit(centre, LEVEL_Z * error)
    return Range(value, min(low, value), max(high, value))


def _added(one: Range, two: Range) -> Range:
    value = one.value + two.value
    down = math.hypot(one.value - one.low, two.value - two.low)
    up = math.hypot(one.high - one.value, two.high - two.value)
    return Range(value, value - down, value + up)
