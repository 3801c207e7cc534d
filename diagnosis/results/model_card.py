"""Lays out a model card (JSON of any depth) for people: sections, facts, figures with intervals, lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# The page shows these elsewhere, or they are of no use to people.
APART = {
    "version",
    "architecture",
    "created",
    "intended_use",
    "limits",
    "licence",
    "weights",
    "operating_point",
}
ORDER = ["data", "metrics", "scope", "explanation", "calibration", "preprocessing", "training"]
NAMES = {
    "n": _("Films"),
    "films": _("Films"),
    "accuracy": _("Accuracy"),
    "sensitivity": _("Sensitivity"),
    "specificity": _("Specificity"),
    "threshold": _("Threshold"),
    "auc": _("Area under the ROC curve (AUC)"),
    "auc_pr": _("Area under the precision–recall curve"),
    "average_precision": _("Average precision"),
    "balanced_accuracy": _("Balanced accuracy"),
    "precision": _("Positive predictive value (precision)"),
    "ppv": _("Positive predictive value"),
    "npv": _("Negative predictive value"),
    "f1": _("F1 score"),
    "brier": _("Brier score"),
    "ece": _("Expected calibration error (ECE)"),
    "cam_reference": _("Reference strength of a map"),
    "tn": _("True negative"),
    "fp": _("False positive"),
    "fn": _("False negative"),
    "tp": _("True positive"),
    "data": _("Data"),
    "calibration": _("Calibration"),
    "preprocessing": _("Preprocessing"),
    "training": _("Training"),
    "metrics": _("How well it does"),
    "sha256": "SHA-256",
    "url": "URL",
    "scope": _("Scope gate: which films it can judge"),
    "measured": _("How many pictures are flagged"),
    "explanation": _("Explanation report card: whether its maps can be believed"),
    "deletion": _("Deletion of the hottest regions"),
    "insertion": _("Insertion of the hottest regions"),
    "stability": _("Stability under small shifts"),
    "agreement_with_hirescam": _("Agreement with HiResCAM"),
    "outside_thorax": _("Heat outside the thorax"),
    "jpeg": "JPEG",
}
_INTERVAL = "_ci"
_DEPTH = 4


@dataclass(frozen=True)
class Fact:
    """One line: label, formatted value, and the 95 % interval where the card gives one."""

    name: str
    value: str
    interval: str = ""


@dataclass(frozen=True)
class Section:
    """One part of the card: its facts, sentences, table and subsections."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    parts: list["Section"] = field(default_factory=list)

    @property
    def has_intervals(self) -> bool:
        """True when at least one fact has an interval."""
        return any(fact.interval for fact in self.facts)


def sections_of(card: Mapping[str, Any]) -> list[Section]:
    """Return the parts of the card that the page does not show elsewhere, those of ORDER first."""
    keys = [key for key in ORDER if key in card]
    keys += [key for key in card if key not in ORDER and key not in APART]
    loose = {key: card[key] for key in keys if not isinstance(card[key], (Mapping, list))}
    deep = [section(label_of(key), card[key]) for key in keys if key not in loose]
    return deep + ([section(gettext("More"), loose)] if loose else [])


def section(title: str, value: Any, depth: int = 1) -> Section:
    """Lay out one value of the card: an object as facts and parts, a list as sentences or a table."""
    if isinstance(value, Mapping):
        return _keyed_table(title, value) if _is_keyed_table(value) else _object_section(title, value, depth)
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return _table_section(title, value)
    items = value if isinstance(value, list) else [value]
    return Section(title, sentences=[format_value(item) for item in items])


def _object_section(title: str, value: Mapping[str, Any], depth: int) -> Section:
    facts, parts = [], []
    for key, item in value.items():
        if key.endswith(_INTERVAL) and key.removesuffix(_INTERVAL) in value:
            continue
        if _is_deep(item) and depth < _DEPTH:
            parts.append(section(label_of(key), item, depth + 1))
        else:
            facts.append(Fact(label_of(key), format_value(item), format_interval(value.get(key + _INTERVAL))))
    return Section(title, facts=facts, parts=parts)


def _is_deep(item: Any) -> bool:
    if isinstance(item, list):
        return any(isinstance(entry, (Mapping, list)) or len(str(entry)) > 40 for entry in item)
    return isinstance(item, Mapping)


def _is_keyed_table(value: Mapping[str, Any]) -> bool:
    """True for three or more named rows of figures, all counted in films."""
    rows = list(value.values())
    return len(rows) > 2 and all(isinstance(row, Mapping) and "n" in row for row in rows)


def _keyed_table(title: str, value: Mapping[str, Any]) -> Section:
    """Lay out named rows as a table; an interval follows its figure."""
    keys = list(dict.fromkeys(key for row in value.values() for key in row if not key.endswith(_INTERVAL)))
    rows = [[label_of(name), *(_figure(row, key) for key in keys)] for name, row in value.items()]
    return Section(title, columns=["", *(label_of(key) for key in keys)], rows=rows)


def _figure(row: Mapping[str, Any], key: str) -> str:
    if key not in row:
        return ""
    interval = format_interval(row.get(key + _INTERVAL))
    return f"{format_value(row[key])} ({interval})" if interval else format_value(row[key])


def _table_section(title: str, rows: list[Mapping[str, Any]]) -> Section:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[format_value(row[key]) if key in row else "" for key in keys] for row in rows]
    return Section(title, columns=[label_of(key) for key in keys], rows=cells)


def label_of(key: str) -> str:
    """Return the label of a key of the card."""
    if key in NAMES:
        return str(NAMES[key])
    spaced = str(key).replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def format_value(value: Any) -> str:
    """Format one value: numbers to four significant digits, lists joined, a missing value as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, (int, float)):
        return localize(float(f"{value:.4g}")) if isinstance(value, float) else f"{value:,}".replace(",", " ")
    if isinstance(value, list):
        return ", ".join(format_value(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{label_of(key)}: {format_value(item)}" for key, item in value.items())
    return str(value)


def format_interval(interval: Any) -> str:
    """Format a 95 % interval as "low to high"; empty for anything but two numbers."""
    if not isinstance(interval, list) or len(interval) != 2:
        return ""
    low, high = interval
    return gettext("%(low)s to %(high)s") % {"low": format_value(low), "high": format_value(high)}
