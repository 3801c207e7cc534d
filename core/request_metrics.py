"""How many requests a web process has answered, and in what time."""

import os
from pathlib import Path

from prometheus_client import Counter, Histogram

if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(folder).mkdir(parents=True, exist_ok=True)  # several web processes add up what they count there
ANSWERED = Counter(
    "pneumoweb_http_requests_total",
    "Requests answered by this web process since it started.",
    ["method", "route", "status"],
    registry=None,
)
SECONDS = Histogram(
    "pneumoweb_http_request_seconds",
    "Seconds until this web process had an answer.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=None,
)
