"""manage.py register_model, as run.sh and administrators use it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from audit.models import AuditEvent
from diagnosis.models import ModelVersion
from pneumoml.cards.artifact import write_artifact
from tests.support.cards import CARD
from tests.support.running import run

Ship = Callable[[str, str], None]


@pytest.fixture
def ship(tmp_path: Path, settings: Settings, db: None) -> Ship:
    """Write a small artefact of a version and date under MODELS_DIR."""
    settings.MODELS_DIR = tmp_path / "models"

    def shipped(version: str, created: str) -> None:
        card = {**CARD, "version": version, "created": created}
        write_artifact(tmp_path / "models" / version, card, {"layer/kernel": np.ones((2, 2), np.float32)})

    return shipped


def states() -> dict[str, str]:
    return dict(ModelVersion.objects.values_list("version", "state"))


def test_shipped_and_activate_make_the_newest_active(ship: Ship) -> None:
    ship("newer", "2026-02-01")
    ship("older", "2025-02-01")
    outcome = run("register_model", "--shipped", "--activate")
    assert outcome.code == 0
    assert states() == {"newer": "active", "older": "registered"}
    assert "newer reads the films." in outcome.output


def test_repeating_the_command_changes_nothing_not_even_the_trail(ship: Ship) -> None:
    ship("v1", "2026-02-01")
    run("register_model", "--shipped", "--activate")
    events = AuditEvent.objects.count()
    assert run("register_model", "--shipped", "--activate").code == 0
    assert AuditEvent.objects.count() == events


def test_a_newer_shipped_version_does_not_replace_the_active_one(ship: Ship) -> None:
    ship("v1", "2026-02-01")
    run("register_model", "--shipped", "--activate")
    ship("v2", "2026-03-01")
    run("register_model", "--shipped", "--activate")
    assert states() == {"v1": "active", "v2": "registered"}


def test_a_named_version_is_activated_rolled_back_and_retired(ship: Ship) -> None:
    ship("v1", "2026-02-01")
    ship("v2", "2026-03-01")
    run("register_model", "v1", "--activate")
    run("register_model", "v2", "--activate")
    assert states() == {"v1": "retired", "v2": "active"}
    run("register_model", "--roll-back")
    assert states() == {"v1": "active", "v2": "retired"}
    assert run("register_model", "v2", "--retire").code == 0
    assert run("register_model", "v1", "--retire").code == 1


def test_the_list_shows_the_active_version_also_as_json(ship: Ship) -> None:
    ship("v1", "2026-02-01")
    run("register_model", "v1", "--activate")
    assert "Active" in run("register_model", "--list").output
    answer = run("register_model", "--list", "--json").json
    assert [(model["version"], model["state"]) for model in answer["models"]] == [("v1", "active")]
    assert answer["disclaimer"] == django_settings.DISCLAIMER


def test_an_empty_list_names_the_next_step(ship: Ship) -> None:
    assert "register_model --shipped --activate" in run("register_model").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--shipped", "--activate"], "No trained model"),
        (["nothing"], "card.json"),
        (["--roll-back"], "No earlier version"),
        (["--retire"], "Name the version to retire"),
        (["v1", "--shipped"], "Choose one"),
        (["v1", "--activate", "--retire"], "Choose one"),
    ],
)
def test_a_refusal_is_explained_with_exit_code_1(ship: Ship, words: list[str], sentence: str) -> None:
    outcome = run("register_model", *words)
    assert outcome.code == 1
    assert sentence in outcome.error
