"""How numbers and results are written on pages."""

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """Write a share of 0 to 1 in whole percent, nothing for None; no score is certain, so never 0 or 100."""
    if share is None:
        return ""
    if share < 0.005:
        return "<1%"
    return ">99%" if share >= 0.995 else f"{share:.0%}"


@register.filter
def minutes(duration: timedelta | None) -> str:
    """Write a duration as whole minutes, at least one."""
    count = max(1, round(duration.total_seconds() / 60)) if duration else 1
    return f"{count} minute" if count == 1 else f"{count} minutes"
