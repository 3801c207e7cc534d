"""The settings of the tests: pneumoweb's own, untouched by anybody's .env, shell or installation.

A module of its own, because pytest-django reads the settings before it loads any conftest.py.
"""

import os
import re
import tempfile
from pathlib import Path

_LISTED = (Path(__file__).resolve().parents[1] / ".env.example").read_text(encoding="utf-8")

for _name in re.findall(r"^(?:# )?([A-Z][A-Z_0-9]*)=", _LISTED, flags=re.MULTILINE):
    os.environ.pop(_name, None)
os.environ["PNEUMOWEB_ENV_FILE"] = os.devnull
os.environ["PNEUMOWEB_VAR"] = tempfile.mkdtemp(prefix="pneumoweb-tests-")
os.environ["CELERY_BROKER_URL"] = "memory://"

from pneumoweb.settings import *  # noqa: E402, F403

# The administration's own tests sign people in without a second factor; tests/accounts/test_second_factor.py
# and the access matrix switch the requirement on.
ADMIN_SECOND_FACTOR = False
