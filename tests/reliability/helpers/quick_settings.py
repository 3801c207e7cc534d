"""The project's settings with shorter leases, passes and heartbeats, so that tests need not wait."""

from pneumoweb.settings import *  # noqa: F403

PREDICTION_LEASE_SECONDS = 12
RECONCILE_SECONDS = 3
RECONCILE_QUEUED_AFTER_SECONDS = 4
HEARTBEAT_SECONDS = 2
WORKER_SILENT_AFTER_SECONDS = 10
CELERY_BEAT_SCHEDULE["reconcile"].update(schedule=RECONCILE_SECONDS)  # noqa: F405
CELERY_BEAT_SCHEDULE["heartbeat"].update(schedule=HEARTBEAT_SECONDS)  # noqa: F405
