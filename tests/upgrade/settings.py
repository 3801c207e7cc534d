"""The project's settings for looking into an installation: plain static files, no second factor demanded."""

from pneumoweb.settings import *  # noqa: F403

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
# A password alone opens the administration; whoever has a second factor is still asked for it.
ADMIN_SECOND_FACTOR = False
PREDICT_WAIT_SECONDS = 0  # there is no worker
METRICS_TOKEN = "look"
