"""Model versions on disk: written ones can be loaded, altered ones are refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumoml.cards.artifact import (
    Artifact,
    ArtifactRefused,
    load_artifact,
    load_weights,
    shipped_versions,
    write_artifact,
)
from tests.support.cards import CARD

WEIGHTS: dict[str, Any] = {
    "dense/kernel": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "dense/bias": np.zeros(4, np.float32),
    "logit/scale": np.float32(2.5),
}


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return write_artifact(tmp_path / "v1", CARD, WEIGHTS)


def code_of(folder: Path) -> str:
    with pytest.raises(ArtifactRefused) as caught:
        load_weights(load_artifact(folder))
    assert caught.value.message.endswith(".")
    return caught.value.code


def change_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


def replace_weights(folder: Path, data: bytes) -> None:
    """Put other bytes in place, with a card of the fitting hash: only their content can be refused."""
    (folder / "weights.npz").write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    change_card(folder, lambda card: card["weights"].update(entry))


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, body in members.items():
            target.writestr(name, body)
    return buffer.getvalue()


def npy(array: np.ndarray[Any, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def test_a_written_version_can_be_loaded(artifact: Artifact) -> None:
    loaded = load_artifact(artifact.folder)
    weights = load_weights(loaded)
    assert set(weights) == set(WEIGHTS)
    assert {array.dtype for array in weights.values()} == {np.dtype("float16")}
    assert weights["dense/kernel"].shape == (3, 4)
    assert np.allclose(weights["dense/kernel"], WEIGHTS["dense/kernel"], atol=1e-3)
    assert weights["logit/scale"].shape == ()
    assert loaded.card.version == "test-1"
    assert loaded.card.weights.bytes == loaded.weights_path.stat().st_size
    assert loaded.card.raw["data"] == CARD["data"]


def test_no_partial_files_stay_behind(artifact: Artifact) -> None:
    assert sorted(path.name for path in artifact.folder.iterdir()) == ["card.json", "weights.npz"]


def test_equal_weights_give_equal_hashes(artifact: Artifact, tmp_path: Path) -> None:
    again = write_artifact(tmp_path / "v2", CARD, dict(reversed(WEIGHTS.items())))
    assert again.card.weights.sha256 == artifact.card.weights.sha256


def test_weights_that_overflow_float16_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not finite"):
        write_artifact(tmp_path / "v1", CARD, {"dense/kernel": np.full(3, 1e6, np.float32)})
    assert not (tmp_path / "v1").exists()


def test_unusable_card_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ArtifactRefused):
        write_artifact(tmp_path / "v1", {**CARD, "architecture": "resnet"}, {"a/b": np.zeros(2, np.float32)})
    assert not (tmp_path / "v1").exists()


def test_shipped_versions_are_folders_with_a_card(artifact: Artifact) -> None:
    (artifact.folder.parent / "empty").mkdir()
    (artifact.folder.parent / "README.md").touch()
    assert shipped_versions(artifact.folder.parent) == ["v1"]
    assert shipped_versions(artifact.folder.parent / "nowhere") == []


def test_missing_card_is_refused(artifact: Artifact) -> None:
    (artifact.folder / "card.json").unlink()
    assert code_of(artifact.folder) == "card_missing"


def test_missing_weights_are_refused(artifact: Artifact) -> None:
    artifact.weights_path.unlink()
    assert code_of(artifact.folder) == "weights_missing"


def test_linked_weights_are_refused(artifact: Artifact, tmp_path: Path) -> None:
    artifact.weights_path.rename(tmp_path / "elsewhere.npz")
    artifact.weights_path.symlink_to(tmp_path / "elsewhere.npz")
    assert code_of(artifact.folder) == "weights_missing"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": NaN}', "[" * 100_000, "\udcff"])
def test_unreadable_card_is_refused(artifact: Artifact, text: str) -> None:
    (artifact.folder / "card.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert code_of(artifact.folder) == "card_invalid"


def test_truncated_and_altered_weights_are_refused(artifact: Artifact) -> None:
    data = artifact.weights_path.read_bytes()
    artifact.weights_path.write_bytes(data[:-1])
    assert code_of(artifact.folder) == "hash_mismatch"
    artifact.weights_path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    assert code_of(artifact.folder) == "hash_mismatch"


def test_altered_weights_are_refused_before_they_are_read(artifact: Artifact) -> None:
    data = artifact.weights_path.read_bytes()
    artifact.weights_path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    with pytest.raises(ArtifactRefused) as caught:
        load_artifact(artifact.folder)
    assert caught.value.code == "hash_mismatch"


def test_weights_exchanged_after_the_check_are_refused(artifact: Artifact) -> None:
    checked = load_artifact(artifact.folder)
    data = artifact.weights_path.read_bytes()
    artifact.weights_path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    with pytest.raises(ArtifactRefused) as caught:
        load_weights(checked)
    assert caught.value.code == "hash_mismatch"


BAD_CARDS: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("version", lambda card: card.update(version="../../etc")),
    ("created", lambda card: card.update(created="yesterday")),
    ("file", lambda card: card["weights"].update(file="../weights.npz")),
    ("file", lambda card: card["weights"].update(file="/etc/passwd")),
    ("sha256", lambda card: card["weights"].update(sha256="abc")),
    ("dtype", lambda card: card["weights"].update(dtype="object")),
    ("bytes", lambda card: card["weights"].update(bytes=True)),
    ("bytes", lambda card: card["weights"].update(bytes=10**12)),
    ("temperature", lambda card: card["calibration"].update(temperature=0)),
    ("bias", lambda card: card["calibration"].update(bias="0")),
    ("bias", lambda card: card["calibration"].pop("bias")),
    ("threshold", lambda card: card["operating_point"].update(threshold=True)),
    ("operating_point", lambda card: card["operating_point"].update(threshold=1.2)),
    ("operating_point", lambda card: card["operating_point"].update(borderline=[0.6, 0.7])),
    ("borderline", lambda card: card["operating_point"].update(borderline=0.5)),
    ("policy", lambda card: card["operating_point"].update(policy=" ")),
    ("limits", lambda card: card.update(limits="none")),
    ("metrics", lambda card: card.pop("metrics")),
    ("preprocessing", lambda card: card.update(preprocessing=[])),
    ("intended_use", lambda card: card.pop("intended_use")),
    ("licence", lambda card: card.update(licence=None)),
]


@pytest.mark.parametrize(("field", "change"), BAD_CARDS)
def test_card_with_a_bad_field_is_refused_by_its_name(
    artifact: Artifact, field: str, change: Callable[[dict[str, Any]], object]
) -> None:
    change_card(artifact.folder, change)
    with pytest.raises(ArtifactRefused, match=field) as caught:
        load_artifact(artifact.folder)
    assert caught.value.code == "card_invalid"


def test_foreign_architecture_is_refused(artifact: Artifact) -> None:
    change_card(artifact.folder, lambda card: card.update(architecture="resnet50"))
    assert code_of(artifact.folder) == "foreign_architecture"


HALF = np.zeros((2, 2), np.float16)
UNSAFE = {
    "not a zip": b"not a zip at all",
    "no members": archive({}),
    "pickled objects": archive(
        {"a/b.npy": npy(np.array([{"run": "code"}], dtype=object), allow_pickle=True)}
    ),
    "deflated": archive({"a/b.npy": npy(np.zeros(1_000_000, np.float16))}, zipfile.ZIP_DEFLATED),
    "deflated without gain": archive(
        {"a/b.npy": npy(np.random.default_rng(1).normal(size=5000).astype(np.float16))}, zipfile.ZIP_DEFLATED
    ),
    "other dtype": archive({"a/b.npy": npy(np.zeros(3, np.float64))}),
    "other file": archive({"a/b.npy": npy(HALF), "run.py": b"print()"}),
    "column order": archive({"a/b.npy": npy(np.asfortranarray(np.zeros((2, 3), np.float16)))}),
    "shape too large": archive({"a/b.npy": npy(HALF).replace(b"(2, 2)", b"(9, 9)")}),
    "negative shape": archive({"a/b.npy": npy(HALF).replace(b"(2, 2), } ", b"(-2,-2), }")}),
    "truncated member": archive({"a/b.npy": npy(HALF)[:-2]}),
    "tokens that do not end": archive({"a/b.npy": npy(HALF).replace(b"(2, 2), }", b"(2, 2)  (")}),
    "no npy header": archive({"a/b.npy": b"abc"}),
    "header that is not a literal": archive({"a/b.npy": npy(HALF).replace(b"(2, 2)", b"exit()")}),
}


@pytest.mark.parametrize("kind", sorted(UNSAFE))
def test_unsafe_weights_are_refused_even_with_a_fitting_hash(artifact: Artifact, kind: str) -> None:
    replace_weights(artifact.folder, UNSAFE[kind])
    assert code_of(artifact.folder) == "weights_unsafe"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(artifact: Artifact) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("a/b.npy", npy(HALF))
        target.writestr("a/b.npy", npy(HALF))
    replace_weights(artifact.folder, buffer.getvalue())
    assert code_of(artifact.folder) == "weights_unsafe"


def test_short_names_agree_with_the_full_ones(artifact: Artifact) -> None:
    card = artifact.card
    assert card.weights_sha256 == card.weights.sha256
    assert (card.threshold, card.borderline) == (0.5, (0.3, 0.7))


def test_calibration_and_operating_point_follow_the_card(artifact: Artifact) -> None:
    card = artifact.card
    assert card.calibration.probability(0.0) == pytest.approx(1 / (1 + np.exp(-0.2)))
    assert card.calibration.probability(3.0) == pytest.approx(1 / (1 + np.exp(-(3 / 1.5 + 0.2))))
    assert card.calibration.probability(1e9) == 1
    assert card.calibration.probability(-1e9) == pytest.approx(0)
    point = card.operating_point
    assert point.is_positive(point.threshold)
    assert not point.is_positive(point.threshold - 1e-9)
    assert [point.is_borderline(p) for p in (0.29, 0.3, 0.5, 0.7, 0.71)] == [False, True, True, True, False]


@pytest.mark.parametrize(("value", "expected"), [(2, 2.0), (0.4, 0.4), (0, None), (True, None), ("1", None)])
def test_cam_reference_is_a_positive_number_or_nothing(
    artifact: Artifact, value: object, expected: float | None
) -> None:
    change_card(artifact.folder, lambda card: card["metrics"].update(cam_reference=value))
    assert load_artifact(artifact.folder).card.cam_reference == expected
