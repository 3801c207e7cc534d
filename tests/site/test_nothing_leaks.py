"""Database, sessions, stored films and log are searched for planted secrets."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image
from rest_framework.test import APIClient

from diagnosis.models import ModelVersion, Study
from tests.support.cast import PASSWORD, Cast
from tests.support.inputs.dicom_films import dicom
from tests.support.inputs.films import jpeg
from tests.support.second_factor import give_code, set_up_app, sign_in

LOGIN = "/api/v1/auth/login/"
EXIF, FILE_NAME, DICOM_NAME, BIRTH = "Canary-Exif-7", "Canary-File-7", "Canary^Carla", "19600229"
WRONG_PASSWORD, PASSWORD_AS_NAME, WRONG_CODE = "canary-wrong-password", "canary-typed-as-name", "918273"
CODE = "CANARY-SUBJECT-7"


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """Collect every line of every logger, as the handlers of an installation would write it."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, handler = logging.getLogger(), Collect()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def everything_stored() -> str:
    """Return all rows, all sessions in clear, and all stored files as one text.

    The original of a JPEG or PNG is kept as it was sent, so it is the one file that is left out.
    """
    assert connection.vendor == "sqlite"
    connection.ensure_connection()
    rows = "\n".join(connection.connection.iterdump())
    sessions = json.dumps([session.get_decoded() for session in Session.objects.all()])
    kept = {study.original.path for study in Study.objects.exclude(media_format="DICOM")}
    found = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    files = [path for path in found if str(path) not in kept]
    texts = [f"{path.name} {path.read_bytes().decode('latin-1')}" for path in files]
    return "\n".join([rows, sessions, *texts])


def film(data: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def photographed() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = EXIF
    return jpeg(exif=exif.tobytes())


def accounts_at_work() -> list[str]:
    """Sign in with right and wrong passwords by page and API; return the secrets used."""
    page = Client(raise_request_exception=False)
    for name, password in (("alice", WRONG_PASSWORD), (PASSWORD_AS_NAME, "x")):
        page.post(reverse("login"), {"username": name, "password": password})
        APIClient().post(LOGIN, {"username": name, "password": password}, format="json")
    alice = sign_in("alice")
    shown = alice.post(reverse("tokens"), {"name": "script", "hours": "10", "scopes": []})
    secret, codes = set_up_app(alice)
    give_code(sign_in("alice"), WRONG_CODE)
    body = {"username": "alice", "password": PASSWORD, "otp": codes[0]}
    by_api = APIClient().post(LOGIN, body, format="json").json()["token"]
    return [shown.context["made"].secret, by_api, secret, *codes]


def films_come_in(token: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    for data, name in ((photographed(), f"{FILE_NAME}.jpg"), (dicom(), f"{FILE_NAME}.dcm")):
        answer = client.post("/api/v1/studies/", {"file": film(data, name), "subject_code": CODE})
        assert answer.status_code == 201, answer.content


def test_no_planted_secret_is_found(
    cast: Cast, active_model: ModelVersion, log_lines: list[str], settings: Any
) -> None:
    secrets = accounts_at_work()
    films_come_in(secrets[1])
    assert Study.objects.count() == 2
    planted = [PASSWORD, WRONG_PASSWORD, PASSWORD_AS_NAME, EXIF, FILE_NAME, DICOM_NAME, BIRTH]
    planted += [*secrets, settings.SECRET_KEY]
    stored, logged = everything_stored(), "\n".join(log_lines)
    assert [text for text in planted if text in stored] == []
    assert [text for text in [*planted, WRONG_CODE] if text in logged] == []
    assert EXIF.encode() in Study.objects.get(media_format="JPEG").original.read()
    assert CODE in stored, "The search itself does not work."
    assert "/api/v1/studies/" in logged, "The search itself does not work."
