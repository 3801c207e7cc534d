"""How numbers and results are written on pages."""

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """Write a share of 0 to 1 as a percentage; nothing for None."""
    return "" if share is None else f"{100 * share:.{digits}f}%"


@register.filter
def minutes(duration: timedelta | None) -> str:
    """Write a duration as whole minutes, at least one."""
    count = max(1, round(duration.total_seconds() / 60)) if duration else 1
    return f"{count} minute" if count == 1 else f"{count} minutes"
