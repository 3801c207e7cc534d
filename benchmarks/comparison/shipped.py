"""The model version that is measured."""

from __future__ import annotations

from benchmarks.comparison.machine import ROOT
from pneumoml.cards.artifact import Artifact, load_artifact, shipped_versions

_MODELS = ROOT / "pneumoml" / "models"


def newest_version() -> Artifact:
    """Return the newest shipped version, verified. Loads no weights."""
    return load_artifact(_MODELS / shipped_versions(_MODELS)[-1])
