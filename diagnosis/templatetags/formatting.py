"""Template filters: numbers, durations and refusals as text."""

from datetime import timedelta

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.intake import decoder_messages
from diagnosis.models import BatchItem, Prediction, Study
from diagnosis.models import newest_prediction as newest_prediction_of

register = template.Library()


@register.filter
def newest_prediction(study: Study) -> Prediction | None:
    """Return the film's newest prediction."""
    return newest_prediction_of(study)


@register.filter
def percent(share: float | None, decimals: int = 0) -> str:
    """Write a share of 0 to 1 in percent, "" for None; never as 0 or 100, since no probability is certain."""
    if share is None:
        return ""
    return _("%(number)s%%") % {"number": _never_certain(100 * share, 100, decimals)}


@register.filter
def refusal_text(item: BatchItem) -> str:
    """Return why a file of a batch was refused, in the person's language; a worker stored it in English."""
    return decoder_messages.translated(item.code, item.message, item.params)


@register.filter
def score(share: float | None, decimals: int = 3) -> str:
    """Write a raw score of 0 to 1 as a number, "" for None; never as 0 or 1."""
    return "" if share is None else _never_certain(share, 1, decimals)


def _never_certain(value: float, most: int, decimals: int) -> str:
    step = 10.0**-decimals
    if float(f"{value:.{decimals}f}") <= 0:
        return f"<{number_format(step, decimals)}"
    if float(f"{value:.{decimals}f}") >= most:
        return f">{number_format(most - step, decimals)}"
    return number_format(f"{value:.{decimals}f}", decimals)


@register.filter
def minutes(duration: timedelta | None) -> str:
    """Write a duration as whole minutes, at least one."""
    count = max(1, round(duration.total_seconds() / 60)) if duration else 1
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
