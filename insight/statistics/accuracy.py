"""The AI against signed reads: confusion matrix, sensitivity and specificity, ROC curve with its area."""

import math

import numpy as np
from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.charts import roc_curve
from insight.statistics.figure import Cell, Column, Figure
from insight.statistics.signed_reads import Finding, Read, Reads, rule, too_few
from pneumoml.statistics.agreement import share_by_subject
from pneumoml.statistics.clusters import Estimate
from pneumoml.statistics.discrimination import auc_by_subject, roc_points

MOST_POINTS = 100


def confusion_matrix(reads: Reads) -> Figure:
    """Readers' findings against the side of the operating point, one row a finding."""
    with_result = [read for read in reads.all if read.probability is not None]
    rows: list[list[Cell]] = []
    for finding in Finding:
        found = [read for read in with_result if read.finding == finding]
        above = sum(read.above for read in found)
        rows.append([str(finding.label), above, len(found) - above, len(found)])
    return Figure(
        key="confusion",
        title=_("AI against signed reads"),
        n=len(with_result),
        unit=_("reads"),
        columns=[
            Column("finding", _("Reader's finding")),
            Column("ai_above", _("AI above the operating point"), "count"),
            Column("ai_below", _("AI below"), "count"),
            Column("reads", _("Reads"), "count"),
        ],
        rows=rows,
        sentences=_rates(reads) if not _too_few(reads) else [],
        method=_(
            "The readers are no truth: their findings are opinions on films, and those who saw the AI's "
            "result first may have followed it. Each read counts once; intervals are over subjects (Rao and "
            "Scott 1992)."
        ),
        too_few=rule() if _too_few(reads) else "",
    )


def roc(reads: Reads) -> Figure:
    """The ROC curve of the calibrated probability against reads of pneumonia, with its area and interval.

    Method and source: `pneumoml.statistics.discrimination.auc_by_subject` (DeLong 1988 for clusters,
    Obuchowski 1997).
    """
    counted, few = reads.against_ai, _too_few(reads)
    columns = [
        Column("threshold", _("Threshold"), "number"),
        Column("false_positive_rate", _("1 − specificity"), "share"),
        Column("sensitivity", _("Sensitivity"), "share"),
    ]
    method = (
        _(
            "Calibrated probability against “pneumonia” in signed reads, all others counted as none. Area "
            "with the 95%% interval of DeLong (1988) over subjects (Obuchowski 1997)."
        )
        % {}
    )
    figure = Figure(
        "roc", _("ROC curve against signed reads"), len(counted), _("reads"), columns, [], method=method
    )
    if few:
        return Figure(**{**vars(figure), "too_few": rule()})
    labels = np.array([float(read.is_pneumonia) for read in counted])
    scores = np.array([read.probability for read in counted], dtype=np.float64)
    area = auc_by_subject(labels, scores, [read.subject for read in counted])
    points = roc_points(labels, scores, MOST_POINTS)
    sentence = _("Area under the curve %(area)s.") % {"area": _with_interval(area)}
    operating = _operating_point(counted)
    axes = (_("1 − specificity"), _("Sensitivity"))
    return Figure(
        **{
            **vars(figure),
            "rows": [[None if math.isinf(cut) else cut, false, true] for cut, false, true in points],
            "sentences": [sentence, _("The dot is the operating point.")],
            "picture": roc_curve(sentence, [point[1:] for point in points], operating, axes),
        }
    )


def _too_few(reads: Reads) -> bool:
    counted = reads.against_ai
    sick = sum(read.is_pneumonia for read in counted)
    return too_few(len(counted), len({read.subject for read in counted}), sick, len(counted) - sick)


def _rates(reads: Reads) -> list[str]:
    """Sensitivity and specificity against the reads."""
    sick = [read for read in reads.against_ai if read.is_pneumonia]
    well = [read for read in reads.against_ai if not read.is_pneumonia]
    sensitivity = share_by_subject([read.above for read in sick], [read.subject for read in sick])
    specificity = share_by_subject([not read.above for read in well], [read.subject for read in well])
    return [
        _("Above the operating point: %(share)s of the reads of pneumonia (sensitivity).")
        % {"share": _share_with_interval(sensitivity)},
        _("Below it: %(share)s of the other readable reads (specificity).")
        % {"share": _share_with_interval(specificity)},
    ]


def _operating_point(reads: list[Read]) -> tuple[float, float]:
    """1 − specificity and sensitivity at the operating point."""
    sick = [read.above for read in reads if read.is_pneumonia]
    well = [read.above for read in reads if not read.is_pneumonia]
    return sum(well) / len(well), sum(sick) / len(sick)


def _with_interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return _("%(value)s, without an interval: the classes do not overlap") % {
            "value": formatting.number(found.value, 3)
        }
    ends = formatting.interval(found.low, found.high, lambda end: formatting.number(end, 3))
    return _("%(value)s (95%% interval %(ends)s)") % {
        "value": formatting.number(found.value, 3),
        "ends": ends,
    }


def _share_with_interval(found: Estimate) -> str:
    ends = formatting.interval(found.low or 0.0, found.high or 0.0, formatting.share)
    return _("%(value)s (95%% interval %(ends)s)") % {"value": formatting.share(found.value), "ends": ends}
