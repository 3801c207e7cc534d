"""One model version on disk: float16 weights and card.json in one folder, written and verified by sha256.

Weights are an uncompressed NumPy `.npz` of plain float arrays named "layer/variable". Nothing in such a file
can run code (no pickle, no Keras configuration, no HDF5 links or filters), it needs no library beyond NumPy,
and because members are stored rather than deflated their sizes are checked against their shapes before a byte
is allocated. The network itself is built in code, never read from a file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pneumoml.cards.card import ArtifactRefused, ModelCard, WeightsEntry, parse_card

__all__ = [
    "CARD_FILE",
    "SCOPE_FILE",
    "WEIGHTS_FILE",
    "Artifact",
    "ArtifactRefused",
    "ModelCard",
    "add_to_card",
    "load_artifact",
    "load_scope",
    "load_weights",
    "shipped_versions",
    "write_artifact",
]

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.npz"
SCOPE_FILE = "scope.npz"
MAX_CARD_BYTES = 2 * 1024 * 1024
_MAX_MEMBERS = 1000
_MAX_NPY_HEADER = 4096
_DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


@dataclass(frozen=True)
class Artifact:
    """A verified model version: its card and its folder."""

    card: ModelCard
    folder: Path

    @property
    def weights_path(self) -> Path:
        """Path of the weights file."""
        return self.folder / self.card.weights.file


def shipped_versions(models_dir: Path) -> list[str]:
    """Return the names of the folders in `models_dir` with a card, sorted; empty without `models_dir`."""
    if not models_dir.is_dir():
        return []
    return sorted(entry.name for entry in models_dir.iterdir() if (entry / CARD_FILE).is_file())


def load_artifact(folder: Path) -> Artifact:
    """Read and verify one version: card present and valid, weights present, of the stated size and sha256.

    Loads no weights into memory. Raises `ArtifactRefused` (card_missing, card_invalid, foreign_architecture,
    weights_missing, weights_unsafe, hash_mismatch).
    """
    artifact = Artifact(card=_read_card(folder), folder=folder)
    _verify(artifact, artifact.card.weights)
    if artifact.card.scope is not None:
        _verify(artifact, artifact.card.scope.file)
    return artifact


def _verify(artifact: Artifact, expected: WeightsEntry) -> None:
    path = artifact.folder / expected.file
    if path.is_symlink() or not path.is_file():
        raise ArtifactRefused(
            "weights_missing",
            f"The weights file “{expected.file}” of model {artifact.card.version} is missing. Copy it again.",
        )
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size != expected.bytes:
            raise _hash_mismatch(artifact.card)
        if hashlib.file_digest(stream, "sha256").hexdigest() != expected.sha256:
            raise _hash_mismatch(artifact.card)


def _read_card(folder: Path) -> ModelCard:
    path = folder / CARD_FILE
    if not path.is_file():
        raise ArtifactRefused(
            "card_missing", "The model folder holds no card.json. Copy the whole folder again."
        )
    if path.stat().st_size > MAX_CARD_BYTES:
        raise ArtifactRefused("card_invalid", "The model card is far too large to be one.")
    try:
        raw = json.loads(path.read_text("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ArtifactRefused("card_invalid", "The model card is not readable JSON.") from error
    return parse_card(raw)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _hash_mismatch(card: ModelCard) -> ArtifactRefused:
    return ArtifactRefused(
        "hash_mismatch",
        f"The weights of model {card.version} are not those its card describes. Copy the model folder again.",
    )


def load_weights(artifact: Artifact) -> dict[str, NDArray[np.floating[Any]]]:
    """Read the weights, "layer/variable" to array, in the card's dtype (float16 or float32).

    The bytes that are parsed are hashed once more, so a file replaced since `load_artifact` is detected.
    Raises `ArtifactRefused` (hash_mismatch, weights_missing, weights_unsafe).
    """
    return _load(artifact, artifact.card.weights)


def load_scope(artifact: Artifact) -> dict[str, NDArray[np.floating[Any]]]:
    """Read the arrays of the scope reference by name; empty where the card has none.

    Raises as `load_weights` does.
    """
    entry = artifact.card.scope
    return {} if entry is None else _load(artifact, entry.file)


def _load(artifact: Artifact, entry: WeightsEntry) -> dict[str, NDArray[np.floating[Any]]]:
    try:
        data = (artifact.folder / entry.file).read_bytes()
    except OSError as error:
        raise ArtifactRefused("weights_missing", "The weights file cannot be read.") from error
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _hash_mismatch(artifact.card)
    return _parse_npz(data, _DTYPES[entry.dtype])


def _unsafe(reason: str) -> ArtifactRefused:
    return ArtifactRefused("weights_unsafe", f"The weights file is refused: {reason}.")


def _parse_npz(data: bytes, dtype: np.dtype[Any]) -> dict[str, NDArray[np.floating[Any]]]:
    weights: dict[str, NDArray[np.floating[Any]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if not 0 < len(members) <= _MAX_MEMBERS:
                raise _unsafe("it holds no arrays, or far too many")
            for member in members:
                name, array = _read_member(archive, member, dtype)
                if name in weights:
                    raise _unsafe("two arrays have one name")
                weights[name] = array
    except ArtifactRefused:
        raise
    except Exception as error:  # zipfile and the array header's tokeniser raise many kinds on broken input
        raise _unsafe("it is not a plain archive of arrays") from error
    return weights


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, dtype: np.dtype[Any]
) -> tuple[str, NDArray[np.floating[Any]]]:
    """Check a member's type, dtype and size against its own shape, and only then read it."""
    if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
        raise _unsafe("it holds something else than stored arrays")
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise _unsafe("an array is of an unknown format version")
        shape, fortran, found = np.lib.format.read_array_header_1_0(stream, max_header_size=_MAX_NPY_HEADER)
        if found != dtype or fortran:
            raise _unsafe("an array is not of the dtype its card states")
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if min(shape, default=0) < 0 or stream.tell() + count * dtype.itemsize != member.file_size:
            raise _unsafe("an array's shape does not fit its size")
        array = np.frombuffer(stream.read(), dtype=dtype).reshape(shape)
    return member.filename.removesuffix(".npy"), array


def write_artifact(
    folder: Path,
    card: Mapping[str, Any],
    weights: Mapping[str, NDArray[np.floating[Any]]],
    *,
    dtype: str = "float16",
) -> Artifact:
    """Write one version into `folder`: weights first, then the card with their hash, each by rename.

    `weights` maps "layer/variable" to finite float arrays; they are stored as `dtype`. The card's "weights"
    entry is filled in here. The same arrays always give the same file and sha256. Raises `ValueError` for
    weights that are not finite in `dtype`, `ArtifactRefused` (card_invalid, foreign_architecture) for a card
    that could not be loaded again; nothing is written then.
    """
    data = _npz_bytes(weights, _DTYPES[dtype])
    entry = {
        "file": WEIGHTS_FILE,
        "sha256": hashlib.sha256(data).hexdigest(),
        "dtype": dtype,
        "bytes": len(data),
    }
    complete = {**card, "weights": entry}
    text = json.dumps(complete, indent=2, ensure_ascii=False, allow_nan=False)
    parse_card(json.loads(text))
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / WEIGHTS_FILE, data)
    _replace(folder / CARD_FILE, text.encode() + b"\n")
    return load_artifact(folder)


def add_to_card(
    artifact: Artifact,
    entries: Mapping[str, Any],
    scope: Mapping[str, NDArray[np.floating[Any]]] | None = None,
) -> Artifact:
    """Replace `entries` in the version's card, or add them; the weights stay.

    With `scope`, arrays by name, these are written as float32 beside the weights, and `entries["scope"]` gets
    the file's name and sha256. Raises as `write_artifact` does; nothing is written then.
    """
    added, data = dict(entries), None
    if scope is not None:
        data = _npz_bytes(scope, _DTYPES["float32"])
        file = {"file": SCOPE_FILE, "sha256": hashlib.sha256(data).hexdigest(), "dtype": "float32"}
        added["scope"] = {**added.get("scope", {}), "file": {**file, "bytes": len(data)}}
    card = {**artifact.card.raw, **added}
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    parse_card(json.loads(text))
    if data is not None:
        _replace(artifact.folder / SCOPE_FILE, data)
    _replace(artifact.folder / CARD_FILE, text.encode() + b"\n")
    return load_artifact(artifact.folder)


def _npz_bytes(weights: Mapping[str, NDArray[np.floating[Any]]], dtype: np.dtype[Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(weights):
            with np.errstate(over="ignore"):
                array = np.ascontiguousarray(weights[name]).astype(dtype).reshape(np.shape(weights[name]))
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite as {dtype.name}")
            # A ZipInfo made by hand carries the fixed date 1980-01-01: equal arrays give equal bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as stream:
                np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
