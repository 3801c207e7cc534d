"""The project's settings with a stand-in for the network and times of a few seconds: failures show fast."""

from pneumoweb.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.reliability.helpers.stand_in.StandIn"]  # noqa: F405

PREDICTION_TIME_LIMIT_SECONDS = CELERY_TASK_TIME_LIMIT = 4
CELERY_TASK_SOFT_TIME_LIMIT = 3
PREDICTION_LEASE_SECONDS = 3
RECONCILE_SECONDS = 1
RECONCILE_QUEUED_AFTER_SECONDS = 3
HEARTBEAT_SECONDS = 5
BATCH_LEASE_SECONDS = 10
CELERY_BEAT_SCHEDULE["reconcile"].update(schedule=RECONCILE_SECONDS)  # noqa: F405
CELERY_BEAT_SCHEDULE["heartbeat"].update(schedule=HEARTBEAT_SECONDS)  # noqa: F405
# Most of a sign-in's time; nothing here depends on how slow a password is.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
