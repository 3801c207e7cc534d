"""Which model version the commands work with."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from core.errors import NotReady
from diagnosis.inference import registry
from pneumoml.cards.artifact import Artifact, ArtifactRefused, load_artifact, shipped_versions


def chosen_artifact(version: str | None) -> Artifact:
    """Return the named version's artefact, else the active one's, else the newest shipped one's, verified.

    Raises `CommandError` with a sentence.
    """
    try:
        if version is not None:
            return load_artifact(_folder(version))
        try:
            return registry.artifact_of(registry.active_model())
        except (NotReady, DatabaseError):  # the commands work without an installation too
            return _newest_shipped()
    except ArtifactRefused as refused:
        raise CommandError(f"The model cannot be used: {refused.message}") from refused


def _folder(version: str) -> Path:
    known = shipped_versions(Path(settings.MODELS_DIR))
    if version not in known:
        raise CommandError(f"There is no model “{version}”. Available: {', '.join(known) or 'none'}.")
    return registry.artifact_folder(version)


def _newest_shipped() -> Artifact:
    folders = [registry.artifact_folder(name) for name in shipped_versions(Path(settings.MODELS_DIR))]
    if not folders:
        raise CommandError("No trained model is in MODELS_DIR: no folder there holds a card.json.")
    return max(
        map(load_artifact, folders), key=lambda artifact: (artifact.card.created, artifact.card.version)
    )
