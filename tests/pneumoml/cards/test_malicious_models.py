"""Model files that try to run code, exhaust the memory or point elsewhere: each is refused, no code runs.

The names are those of known attacks on Keras and pickle. Here only plain arrays of a hashed file are read, so
each attack is tried twice: put in place of the weights, and with a card that was made to fit it.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pneumoml.cards.artifact import ArtifactRefused, load_artifact, load_weights, write_artifact
from tests.support.cards import CARD

WEIGHTS = {"dense/kernel": np.ones((3, 4), np.float32)}


class _Runs:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (f"open({str(self._mark)!r}, 'w').close()",)


def keras_archive(mark: Path, layer: dict[str, object]) -> bytes:
    """A .keras file whose configuration names a layer that runs code."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as stored:
        stored.writestr(
            "config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})
        )
        stored.writestr("metadata.json", "{}")
        stored.writestr("model.weights.h5", old_h5(mark))
    return archive.getvalue()


def lambda_layer(mark: Path) -> bytes:
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    return keras_archive(mark, {"class_name": "Lambda", "config": {"function": code}})


def tfsm_layer(mark: Path) -> bytes:
    return keras_archive(mark, {"class_name": "TFSMLayer", "config": {"filepath": str(mark.parent)}})


def old_h5(mark: Path) -> bytes:
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        code = f"open({str(mark)!r}, 'w').close()"
        layers = [{"class_name": "Lambda", "config": {"function": code}}]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
        file["dense/kernel"] = np.ones((3, 4), np.float16)
    return held.getvalue()


def external_link(mark: Path) -> bytes:
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file["dense/kernel"] = h5py.ExternalLink("/etc/passwd", "/")
    return held.getvalue()


def zip_bomb(mark: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as stored:
        stored.writestr("dense/kernel.npy", bytes(16 * 2**20))
    return archive.getvalue()


def object_array(mark: Path) -> bytes:
    held = io.BytesIO()
    np.savez(held, **{"dense/kernel": np.array([_Runs(mark)], dtype=object)})  # type: ignore[arg-type]  # on purpose
    return held.getvalue()


def bare_pickle(mark: Path) -> bytes:
    return pickle.dumps(_Runs(mark))


ATTACKS = [lambda_layer, tfsm_layer, old_h5, external_link, zip_bomb, object_array, bare_pickle]


def refused(folder: Path) -> str:
    with pytest.raises(ArtifactRefused) as caught:
        load_weights(load_artifact(folder))
    return caught.value.code


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_it_is_refused_by_its_hash_and_where_the_hash_was_made_to_fit(
    tmp_path: Path, attack: Callable[[Path], bytes]
) -> None:
    mark, folder = tmp_path / "code-ran", tmp_path / "v1"
    artifact = write_artifact(folder, CARD, WEIGHTS)
    data = attack(mark)
    artifact.weights_path.write_bytes(data)
    assert refused(folder) == "hash_mismatch"
    card = json.loads((folder / "card.json").read_text())
    card["weights"].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    (folder / "card.json").write_text(json.dumps(card))
    assert refused(folder) == "weights_unsafe"
    assert not mark.exists()


def test_the_attacks_would_run_code_where_pickles_are_read(tmp_path: Path) -> None:
    mark = tmp_path / "code-ran"
    pickle.loads(bare_pickle(mark))
    assert mark.exists()
