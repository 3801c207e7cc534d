"""The project's settings for an upgraded installation: plain static files, no second factor required."""

from pneumoweb.settings import *  # noqa: F403

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
# The administration needs a password only; accounts with a second factor are still asked for it.
ADMIN_SECOND_FACTOR = False
PREDICT_WAIT_SECONDS = 0  # there is no worker
METRICS_TOKEN = "look"
