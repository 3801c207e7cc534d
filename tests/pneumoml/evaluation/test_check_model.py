"""Fitting the scope gate and testing the maps of a version, from made films to its card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumoml.cards.artifact import (
    CARD_FILE,
    SCOPE_FILE,
    Artifact,
    ArtifactRefused,
    load_artifact,
    load_weights,
    write_artifact,
)
from pneumoml.network.predictor import Predictor
from pneumoml.training.dataset import LabelledFilm, scan_folder, split_by_patient
from tests.support.cards import CARD
from tests.support.inputs import films
from tests.support.inputs.labelled import make_folder

pytestmark = pytest.mark.tensorflow

# Everything is above the operating point; a small input, for a fifth of the computing.
DIFFERENT = {
    "operating_point": {"threshold": 0.0, "borderline": [0.0, 1.0], "policy": "For tests only."},
    "preprocessing": {"size": 96},
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFilm]:
    folder = make_folder(tmp_path_factory.mktemp("films"), normal=36, pneumonia=24)
    return split_by_patient(scan_folder(folder), validation_share=0.15)


@pytest.fixture(scope="module")
def checked(
    random_network: Any, labelled: list[LabelledFilm], tmp_path_factory: pytest.TempPathFactory
) -> Artifact:
    """The random network as a version that went through both parts."""
    from pneumoml.evaluation import explanation_report, scope_fit
    from pneumoml.network.vgg16 import layer_weights

    folder = tmp_path_factory.mktemp("models") / "test-1"
    plain = write_artifact(folder, {**CARD, **DIFFERENT}, layer_weights(random_network))
    entry, arrays = scope_fit.scope_entry(plain, labelled, scope_fit.Sizes(40, 30, 4, 1, 1))
    scoped = scope_fit.write_scope(plain, entry, arrays)
    sizes = explanation_report.Sizes(of_each_class=2, above=2, draws=1)
    return explanation_report.write_report_card(
        scoped, explanation_report.report_card(scoped, labelled, sizes)
    )


def test_the_card_holds_rates_with_numbers_and_intervals(checked: Artifact) -> None:
    measured = checked.card.raw["scope"]["measured"]
    assert measured["validation films"]["n"] >= 4
    assert measured["no film: all"]["n"] == 13
    assert measured["no film: all"]["flagged"] == sum(
        row["flagged"]
        for name, row in measured.items()
        if name.startswith("no film: ") and not name.endswith("all")
    )
    for row in measured.values():
        low, high = row["share_ci"]
        assert low - 1e-9 <= row["flagged"] / row["n"] <= high + 1e-9
        assert 0 <= low < high <= 1


def test_the_report_card_is_complete(checked: Artifact) -> None:
    found = checked.card.raw["explanation"]
    for test in ("stability", "agreement_with_hirescam"):
        assert -1 <= found[test]["rank_correlation"] <= 1
        assert found[test]["n"] == 2
    for row in found["weight_randomisation"].values():
        assert -1 <= row["rank_correlation"] <= 1
    for test in ("deletion", "insertion"):
        assert 0 <= found[test]["area"] <= 1
    assert 0 <= found["outside_thorax"]["share_of_heat"] <= 1
    assert found["unreliable_maps"]["above_the_operating_point"]["n"] == 4


def test_weights_and_everything_else_on_the_card_stay(checked: Artifact, random_network: Any) -> None:
    from pneumoml.network.vgg16 import layer_weights

    assert {name: checked.card.raw[name] for name in CARD if name not in DIFFERENT} == {
        name: value for name, value in CARD.items() if name not in DIFFERENT
    }
    for name, array in layer_weights(random_network).items():
        assert np.array_equal(load_weights(checked)[name], array.astype(np.float16))


def test_the_version_now_judges_scope_and_maps(checked: Artifact) -> None:
    predictor = Predictor.load(checked)
    plain = predictor.predict(films.chest_like(96, 96, seed=2))
    assert plain.scope_flags is not None
    assert plain.map_flags is not None
    upside_down = predictor.predict(films.chest_like(96, 96, seed=2)[::-1].copy(), colour_fraction=0.9)
    assert upside_down.scope_flags is not None
    assert upside_down.scope_flags[0] == "colour"
    assert len(upside_down.scope_flags) == 2


def test_a_card_from_before_there_was_a_scope_gate_still_loads(random_artifact: Artifact) -> None:
    assert (random_artifact.card.scope, random_artifact.card.map_limits) == (None, None)
    result = Predictor.load(random_artifact).predict(films.chest_like())
    assert (result.scope_flags, result.map_flags) == (None, None)


def test_a_changed_scope_file_is_refused(checked: Artifact, tmp_path: Path) -> None:
    for path in checked.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = bytearray((tmp_path / SCOPE_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / SCOPE_FILE).write_bytes(data)
    with pytest.raises(ArtifactRefused) as caught:
        load_artifact(tmp_path)
    assert caught.value.code == "hash_mismatch"
    (tmp_path / SCOPE_FILE).unlink()
    with pytest.raises(ArtifactRefused) as caught:
        load_artifact(tmp_path)
    assert caught.value.code == "weights_missing"


@pytest.mark.parametrize("entry", ["scope", "explanation"])
def test_a_broken_entry_is_refused(checked: Artifact, tmp_path: Path, entry: str) -> None:
    for path in checked.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    card = json.loads((tmp_path / CARD_FILE).read_text("utf-8"))
    card[entry]["limits"] = {"layout": "wide"}
    (tmp_path / CARD_FILE).write_text(json.dumps(card), "utf-8")
    with pytest.raises(ArtifactRefused) as caught:
        load_artifact(tmp_path)
    assert caught.value.code == "card_invalid"


def test_the_scope_file_is_small(checked: Artifact) -> None:
    assert (checked.folder / SCOPE_FILE).stat().st_size < 300_000


def test_the_card_in_words_has_both_parts(checked: Artifact, labelled: list[LabelledFilm]) -> None:
    from pneumoml.cards.markdown import _explanation, _scope

    words = "\n".join([*_scope(checked.card.raw), *_explanation(checked.card.raw)])
    for title in ("## Scope gate", "## Explanation report card", "Adebayo", "Petsiuk", "Draelos"):
        assert title in words
    assert (_scope(CARD), _explanation(CARD)) == ([], [])


def test_no_film_above_the_operating_point_is_said(
    random_network: Any, labelled: list[LabelledFilm], tmp_path: Path
) -> None:
    from pneumoml.evaluation import explanation_report
    from pneumoml.network.vgg16 import layer_weights

    point = {"threshold": 1.0, "borderline": [1.0, 1.0], "policy": "For tests only."}
    artifact = write_artifact(tmp_path, {**CARD, "operating_point": point}, layer_weights(random_network))
    with pytest.raises(ValueError, match="operating point"):
        explanation_report.report_card(artifact, labelled, explanation_report.Sizes(1, 1, 1))
