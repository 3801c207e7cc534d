"""manage.py setup_site: what a first start creates, what later ones keep, and what is refused."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from diagnosis.models import ModelVersion, WorkerStatus
from pneumoml.cards.artifact import write_artifact
from tests.support.cards import CARD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with one small version, and no administrator named in the environment."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.STATIC_ROOT = tmp_path / "static"
    ship(tmp_path / "models", "first", "2026-01-01")
    for name in ("DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def ship(models: Path, version: str, created: str) -> None:
    """Add a version to the models folder."""
    weights = {"layer/kernel": np.ones((2, 2), np.float32)}
    write_artifact(models / version, {**CARD, "version": version, "created": created}, weights)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Run setup_site and return its output."""
    call_command("setup_site")
    return capsys.readouterr().out


def password_in(text: str) -> str:
    """Return the password in the output of a first start; "" when there is none."""
    return text.partition("password: ")[2].partition("\n")[0].strip()


def test_a_first_start_creates_an_administrator_and_prints_the_password_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    password = password_in(printed(capsys))
    admin = User.objects.get(is_superuser=True)
    assert admin.username == "admin"
    assert len(password) == 20
    assert admin.check_password(password)
    assert "password" not in printed(capsys)
    assert User.objects.get(is_superuser=True) == admin


def test_a_given_password_is_used_and_never_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "clara")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a fine long one")
    assert "a fine long one" not in printed(capsys)
    assert User.objects.get(is_superuser=True).check_password("a fine long one")


def test_a_later_start_changes_neither_password_nor_rights_of_an_account(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = User.objects.create_user("clara", password="her own")
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "clara")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "another")
    printed(capsys)
    reader.refresh_from_db()
    assert reader.check_password("her own")
    assert not reader.is_superuser


def test_a_named_administrator_can_be_added_later(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed(capsys)
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "second")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a fine long one")
    printed(capsys)
    names = set(User.objects.filter(is_superuser=True).values_list("username", flat=True))
    assert names == {"admin", "second"}
    assert AuditEvent.objects.filter(verb="administrator_created").count() == 2


def test_a_first_start_activates_the_newest_model_and_a_later_one_keeps_it(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ship(site / "models", "a-newer", "2026-06-01")
    printed(capsys)
    assert ModelVersion.objects.get(state=ModelVersion.State.ACTIVE).version == "a-newer"
    ship(site / "models", "newest", "2026-09-01")
    printed(capsys)
    assert ModelVersion.objects.get(state=ModelVersion.State.ACTIVE).version == "a-newer"
    assert ModelVersion.objects.filter(version="newest").exists()


def test_changed_weights_are_refused_in_a_sentence(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys)
    weights = site / "models" / "first" / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(CommandError, match="first"):
        call_command("setup_site")


def test_no_model_is_refused_in_a_sentence(site: Path, settings: Any) -> None:
    settings.MODELS_DIR = site / "empty"
    with pytest.raises(CommandError, match="No trained model is in"):
        call_command("setup_site")


def test_heartbeats_of_this_machines_earlier_workers_are_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    for host in (socket.gethostname(), "another-machine"):
        WorkerStatus.objects.create(
            name=f"{host}:7", last_seen_at=now, started_at=now, loaded_version="first"
        )
    printed(capsys)
    assert [worker.name for worker in WorkerStatus.objects.all()] == ["another-machine:7"]
