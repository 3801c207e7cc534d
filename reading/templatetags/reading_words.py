"""How times of reading are written on pages."""

from django import template

from reading.lists.queries import MOST_COUNTED

register = template.Library()


@register.filter
def counted(films: int) -> str:
    """Write a number of films of a queue that is counted no further than `count_at_most` counts."""
    return f"{MOST_COUNTED}+" if films > MOST_COUNTED else str(films)


@register.filter
def duration(seconds: int) -> str:
    """Write whole seconds as people say them: 40 s, 3 min 5 s, 2 h 10 min."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
