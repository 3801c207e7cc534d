"""Formats figures in the person's language."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Writer = Callable[[float], str]


def count(value: float) -> str:
    """Write a whole number."""
    return number_format(round(value), 0, force_grouping=True)


def number(value: float, decimals: int = 2) -> str:
    """Write a number with fixed decimals."""
    return number_format(f"{value:.{decimals}f}", decimals)


def trimmed(value: float) -> str:
    """Write a number with at most two decimals, without trailing zeros."""
    return number_format(f"{value:.2f}".rstrip("0").rstrip("."))


def share(value: float, decimals: int = 1) -> str:
    """Write a share of 0 to 1 in per cent; nothing but 0 and 1 is rounded to 0 % or 100 %."""
    least = 10.0**-decimals
    if 0 < value < 1 and not least / 2 <= 100 * value < 100 - least / 2:
        return f"<{number(least, decimals)}%" if value < 0.5 else f">{number(100 - least, decimals)}%"
    return f"{number(100 * value, decimals)}%"


def seconds(value: float) -> str:
    """Write a duration in seconds, minutes, hours or days."""
    if value < 120:
        return _("%(number)s s") % {"number": number(value, 1)}
    if value < 7200:
        return _("%(number)s min") % {"number": number(value / 60, 0)}
    if value < 172_800:
        return _("%(number)s h") % {"number": number(value / 3600, 1)}
    days = round(value / 86_400)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": count(days)}


def day(value: date | str) -> str:
    """Write a day; a text in its place is kept."""
    return value if isinstance(value, str) else date_format(value, "SHORT_DATE_FORMAT")


def interval(low: float, high: float, write: Writer = number) -> str:
    """Write both ends of a 95 % interval."""
    return _("%(low)s to %(high)s") % {"low": write(low), "high": write(high)}


WRITERS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "count": count,
    "share": share,
    "number": number,
    "seconds": seconds,
    "day": day,
}
