"""The project's settings with a fake network and times of a few seconds, so that failures show fast."""

from pneumoweb.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.reliability.helpers.fake_network.FakeNetwork"]  # noqa: F405

PREDICTION_TIME_LIMIT_SECONDS = CELERY_TASK_TIME_LIMIT = 4
CELERY_TASK_SOFT_TIME_LIMIT = 3
PREDICTION_LEASE_SECONDS = 3
RECONCILE_SECONDS = 1
RECONCILE_QUEUED_AFTER_SECONDS = 3
HEARTBEAT_SECONDS = 5
BATCH_LEASE_SECONDS = 10
CELERY_BEAT_SCHEDULE["reconcile"].update(schedule=RECONCILE_SECONDS)  # noqa: F405
CELERY_BEAT_SCHEDULE["heartbeat"].update(schedule=HEARTBEAT_SECONDS)  # noqa: F405
# Hashing takes most of a sign-in's time, and nothing here depends on it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
