"""Template filters of reading times and bounded counts."""

from django import template

from reading.lists.queries import MOST_COUNTED

register = template.Library()


@register.filter
def counted(films: int) -> str:
    """Write a count from `count_at_most`."""
    return f"{MOST_COUNTED}+" if films > MOST_COUNTED else str(films)


@register.filter
def duration(seconds: int) -> str:
    """Write whole seconds as 40 s, 3 min 5 s, 2 h 10 min."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
