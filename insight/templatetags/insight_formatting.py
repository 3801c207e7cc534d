"""Template filters of figures, in the person's language."""

from django import template

from insight.statistics import formatting

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """Write a duration; a dash for None."""
    return "–" if seconds is None else formatting.seconds(seconds)


@register.filter
def count(value: float) -> str:
    """Write a whole number."""
    return formatting.count(value)
