"""Agreement of two readers on the same films, beyond chance, with a 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pneumoml.statistics.clusters import Estimate, cluster_sums, small_sample
from pneumoml.statistics.intervals import LEVEL_Z, NO_ERROR, logit_interval, wilson


def cohen_kappa(first: Sequence[str], second: Sequence[str], clusters: Sequence[object]) -> Estimate:
    """Cohen's kappa (1960) of two nominal readings (n,), with a 95 % interval over subjects.

    The variance is the large-sample one of Fleiss, Cohen and Everitt (1969), summed over whole subjects
    (`clusters`, (n,)) as Yang and Zhou (2014) do, since films of one subject resemble each other. Raises
    ValueError where kappa does not exist: without reads, or when both always said one and the same thing.
    """
    categories = sorted({*first, *second})
    if len(categories) < 2:
        raise ValueError("Kappa needs at least two findings.")
    numbers = {category: number for number, category in enumerate(categories)}
    one = np.array([numbers[category] for category in first])
    two = np.array([numbers[category] for category in second])
    row = np.bincount(one, minlength=len(categories)) / len(one)
    column = np.bincount(two, minlength=len(categories)) / len(two)
    same = (one == two).astype(np.float64)
    observed, expected = float(same.mean()), float(row @ column)
    kappa = (observed - expected) / (1 - expected)
    # Influence of each read on kappa: its derivative by the cells of the two readers' table.
    by_chance = column[one] + row[two] - 2 * expected
    influence = ((same - observed) * (1 - expected) - by_chance * (1 - observed)) / (1 - expected) ** 2
    sums = cluster_sums(influence, clusters)
    error = math.sqrt(small_sample(len(sums)) * float((sums**2).sum())) / len(one)
    if error < NO_ERROR:
        return Estimate(kappa, None, None, len(one), len(sums))
    low, high = kappa - LEVEL_Z * error, kappa + LEVEL_Z * error
    return Estimate(kappa, max(-1.0, low), min(1.0, high), len(one), len(sums))


def share_by_subject(hits: Sequence[bool], clusters: Sequence[object]) -> Estimate:
    """A share of reads (n,), n > 0, with a 95 % interval over subjects.

    The variance is that of a ratio over whole subjects (Rao and Scott 1992), the interval made on the logit
    scale; where subjects do not differ, Wilson's for as many reads as there are subjects.
    """
    found = np.asarray(hits, dtype=np.float64)
    share = float(found.mean())
    sums = cluster_sums(found - share, clusters)
    error = math.sqrt(small_sample(len(sums)) * float((sums**2).sum())) / len(found)
    if error < NO_ERROR:
        low, high = wilson(round(share * len(sums)), len(sums))
    else:
        low, high = logit_interval(share, error)
    return Estimate(share, low, high, len(found), len(sums))
