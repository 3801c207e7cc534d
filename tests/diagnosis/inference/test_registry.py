"""Model versions: registered from their folders, one active, refused when their files were changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from audit.models import AuditEvent
from core.errors import Conflict, ModelRefused, NotReady
from diagnosis.inference import registry
from diagnosis.models import ModelVersion
from pneumoml.cards.artifact import write_artifact
from tests.support.cards import CARD

State = ModelVersion.State
Ship = Callable[..., Path]


@pytest.fixture
def ship(tmp_path: Path, settings: Settings, db: None) -> Ship:
    """Write a small artefact under MODELS_DIR."""
    settings.MODELS_DIR = tmp_path / "models"

    def shipped(folder_name: str, **card: Any) -> Path:
        folder = tmp_path / "models" / folder_name
        write_artifact(
            folder, {**CARD, "version": folder_name, **card}, {"layer/kernel": np.ones((2, 2), np.float32)}
        )
        return folder

    return shipped


def refused(service: Callable[[], object], error: type[ModelRefused | Conflict | NotReady]) -> str:
    with pytest.raises(error) as caught:
        service()
    return caught.value.code


def test_registering_copies_what_programs_need_from_the_card(ship: Ship) -> None:
    ship("v1")
    model = registry.register(actor=None, version="v1")
    assert (model.state, model.threshold) == (State.REGISTERED, 0.5)
    assert (model.borderline_low, model.borderline_high) == (0.3, 0.7)
    assert model.card["version"] == "v1"
    assert AuditEvent.objects.get().verb == "model_registered"


def test_registering_twice_changes_nothing(ship: Ship) -> None:
    ship("v1")
    first = registry.register(actor=None, version="v1")
    assert registry.register(actor=None, version="v1") == first
    assert AuditEvent.objects.count() == 1


def test_a_missing_folder_is_refused(ship: Ship) -> None:
    assert refused(lambda: registry.register(actor=None, version="nothing"), ModelRefused) == "card_missing"


def test_a_card_that_names_another_version_is_refused(ship: Ship) -> None:
    ship("v1", version="v2")
    assert refused(lambda: registry.register(actor=None, version="v1"), ModelRefused) == "version_mismatch"


def test_changed_weights_are_neither_registered_nor_activated(ship: Ship) -> None:
    folder = ship("v1")
    model = registry.register(actor=None, version="v1")
    weights = folder / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    assert refused(lambda: registry.register(actor=None, version="v1"), ModelRefused) == "hash_mismatch"
    assert refused(lambda: registry.activate(actor=None, model=model), ModelRefused) == "hash_mismatch"
    assert not ModelVersion.objects.filter(state=State.ACTIVE).exists()


def test_a_known_version_with_other_weights_is_refused_although_its_card_is_consistent(
    ship: Ship, tmp_path: Path
) -> None:
    ship("v1")
    model = registry.register(actor=None, version="v1")
    write_artifact(
        tmp_path / "models" / "v1", {**CARD, "version": "v1"}, {"layer/kernel": np.zeros(3, np.float32)}
    )
    assert refused(lambda: registry.register(actor=None, version="v1"), ModelRefused) == "hash_mismatch"
    assert refused(lambda: registry.artifact_of(model), ModelRefused) == "hash_mismatch"


def test_one_version_is_active_and_its_predecessor_is_retired(ship: Ship) -> None:
    for version in ("v1", "v2"):
        ship(version)
        registry.activate(actor=None, model=registry.register(actor=None, version=version))
    assert registry.active_model().version == "v2"
    assert ModelVersion.objects.get(version="v1").state == State.RETIRED


def test_rolling_back_activates_the_version_before(ship: Ship) -> None:
    for version in ("v1", "v2"):
        ship(version)
        registry.activate(actor=None, model=registry.register(actor=None, version=version))
    assert registry.roll_back(actor=None).version == "v1"
    assert registry.active_model().version == "v1"


def test_without_a_predecessor_there_is_nothing_to_roll_back_to(ship: Ship) -> None:
    ship("v1")
    registry.activate(actor=None, model=registry.register(actor=None, version="v1"))
    assert refused(lambda: registry.roll_back(actor=None), Conflict) == "nothing_to_roll_back_to"


def test_the_active_version_is_not_retired(ship: Ship) -> None:
    ship("v1")
    model = registry.activate(actor=None, model=registry.register(actor=None, version="v1"))
    assert refused(lambda: registry.retire(actor=None, model=model), Conflict) == "model_is_active"


def test_without_an_active_version_the_refusal_is_explained(db: None) -> None:
    assert refused(registry.active_model, NotReady) == "no_active_model"


def test_shipped_versions_come_oldest_first_by_their_cards_not_by_their_names(ship: Ship) -> None:
    ship("a-newest", created="2026-03-01")
    ship("b-oldest", created="2025-03-01")
    versions = [model.version for model in registry.register_shipped(actor=None)]
    assert versions == ["b-oldest", "a-newest"]


def test_the_card_is_kept_as_it_was_registered(ship: Ship) -> None:
    folder = ship("v1")
    registry.register(actor=None, version="v1")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "intended_use": "Something else."}))
    assert registry.register(actor=None, version="v1").card["intended_use"] == CARD["intended_use"]
