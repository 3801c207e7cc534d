"""Mid-ranks against scipy."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from pneumoml.statistics.ranks import midranks


def test_midranks_are_those_of_scipy_to_the_bit() -> None:
    generator = np.random.default_rng(3)
    for decimals in (1, 2, 12):
        values = np.round(generator.random(500), decimals)
        assert midranks(values).tolist() == rankdata(values).tolist()
