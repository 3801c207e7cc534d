"""Histograms of durations: buckets 2 % apart, so percentiles are right to 1 %."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

_STEP = math.log(1.02)
_LEAST = 0.01  # seconds; shorter durations count as this


def bucket_of(took: timedelta) -> int:
    """Return the bucket of a duration."""
    return round(math.log(max(_LEAST, took.total_seconds())) / _STEP)


def seconds_of(bucket: int) -> float:
    """Return the duration in the middle of a bucket, in seconds."""
    return math.exp(bucket * _STEP)


def percentiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[float | None]:
    """Return these percentiles (0 to 1) in seconds, each to 1 %; None where nothing was counted."""
    total = sum(counts.values())
    found: list[float | None] = []
    for share in shares:
        rank, seen = share * (total - 1), 0
        place = None
        for bucket in sorted(counts):
            seen += counts[bucket]
            if seen > rank:
                place = seconds_of(bucket)
                break
        found.append(place)
    return found
