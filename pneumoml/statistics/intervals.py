"""95 % intervals of proportions: Wilson's, and by a standard error on the logit scale."""

from __future__ import annotations

import math

Interval = tuple[float, float]
LEVEL_Z = 1.959963984540054  # of a two-sided 95 % interval
NO_ERROR = 1e-9  # a standard error below this is rounding: there is no interval


def wilson(successes: int, trials: int) -> Interval:
    """95 % interval of a proportion (Wilson 1927); (0, 1) where there are no trials."""
    if trials == 0:
        return 0.0, 1.0
    share, z2 = successes / trials, LEVEL_Z**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = LEVEL_Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def logit_interval(share: float, error: float) -> Interval:
    """95 % interval of a share strictly between 0 and 1 with this standard error, made on the logit scale."""
    return from_logit(math.log(share / (1 - share)), LEVEL_Z * error / (share * (1 - share)))


def from_logit(centre: float, half_width: float) -> Interval:
    """Both ends of an interval on the logit scale, as shares."""
    return 1 / (1 + math.exp(half_width - centre)), 1 / (1 + math.exp(-half_width - centre))
