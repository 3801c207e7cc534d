"""A small valid model card for tests."""

from __future__ import annotations

from typing import Any

# Without the weights entry, which `write_artifact` fills in.
CARD: dict[str, Any] = {
    "version": "test-1",
    "architecture": "vgg16-gap-512-256-128",
    "created": "2026-01-02",
    "preprocessing": {},
    "calibration": {"temperature": 1.5, "bias": 0.2},
    "operating_point": {"threshold": 0.5, "borderline": [0.3, 0.7], "policy": "For tests only."},
    "metrics": {"cam_reference": 0.5},
    "training": {"command": "none", "seed": 1},
    "data": {"films": 0},
    "limits": ["Random weights."],
    "intended_use": "Tests of the software.",
    "licence": "MIT",
}


def stored_card(**changes: Any) -> dict[str, Any]:
    """The card as a registered version has it, with `changes` in place of entries of the same names."""
    weights = {"file": "weights.npz", "sha256": "0" * 64, "dtype": "float16", "bytes": 1}
    return {**CARD, "weights": weights, **changes}
