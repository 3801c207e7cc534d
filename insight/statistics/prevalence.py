"""Predictive values of a model version at the local prevalence, from its validation films."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.models import ModelVersion
from insight.statistics import formatting
from pneumoml.statistics.metrics import Confusion
from pneumoml.statistics.predictive_values import AtPrevalence, Range, at_prevalence

EXAMPLE_PERCENT = 10.0  # the default


@dataclass(frozen=True)
class PredictiveValues:
    """Figures at one prevalence; `counts` None where the version's card has no validation counts."""

    version: ModelVersion
    percent: float
    counts: Confusion | None
    figures: AtPrevalence | None

    @property
    def rows(self) -> Sequence[tuple[str, str, str]]:
        """What, its value, and its 95 % interval, in words."""
        if self.figures is None:
            return []
        found = self.figures
        return [
            _row(_("Of films above the operating point, with pneumonia (PPV)"), found.ppv, formatting.share),
            _row(_("Of films below it, without pneumonia (NPV)"), found.npv, formatting.share),
            _row(_("Alarms for each true case among them"), found.alarms_per_case, formatting.number),
            _row(_("Of 100 films: alarms"), found.alarms, formatting.number),
            _row(_("of these true"), found.true_alarms, formatting.number),
            _row(_("of these false"), found.false_alarms, formatting.number),
            _row(_("Of 100 films: pneumonia missed"), found.missed, formatting.number),
        ]

    @property
    def sentence(self) -> str:
        """The main thing in one sentence."""
        if self.figures is None:
            return ""
        return _("At a prevalence of %(prevalence)s, %(alarms)s alarms are expected for each true case.") % {
            "prevalence": f"{formatting.trimmed(self.percent)}%",
            "alarms": formatting.number(self.figures.alarms_per_case.value, 1),
        }

    @property
    def source(self) -> str:
        """Where the figures come from, with their n."""
        if self.counts is None:
            return ""
        sick, well = self.counts.tp + self.counts.fn, self.counts.tn + self.counts.fp
        return _(
            "From the card of %(version)s: sensitivity %(sensitivity)s (n = %(sick)s), specificity "
            "%(specificity)s (n = %(well)s) on its validation films."
        ) % {
            "version": self.version.version,
            "sensitivity": formatting.share(self.counts.tp / sick),
            "specificity": formatting.share(self.counts.tn / well),
            "sick": formatting.count(sick),
            "well": formatting.count(well),
        }


def predictive_values_of(version: ModelVersion, percent: float) -> PredictiveValues:
    """Compute the figures of `version` at a prevalence in per cent, 0.1 to 99."""
    card = version.typed_card
    counts = card.validation_counts if card else None
    return PredictiveValues(
        version, percent, counts, at_prevalence(counts, percent / 100) if counts else None
    )


def _row(name: str, found: Range, write: formatting.Writer) -> tuple[str, str, str]:
    return name, write(found.value), formatting.interval(found.low, found.high, write)
