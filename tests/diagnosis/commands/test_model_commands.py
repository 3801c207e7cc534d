"""download_dataset, train_model and evaluate_model: their options, refusals and output."""

from pathlib import Path

import pytest
from pytest_django import Settings

from pneumoml.cards.artifact import Artifact
from tests.pneumoml.conftest import random_artifact, random_network  # noqa: F401 - fixtures
from tests.support.inputs.labelled import make_folder
from tests.support.running import run

pytestmark = pytest.mark.django_db


def test_a_local_copy_is_split_and_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=12, pneumonia=12)
    outcome = run("download_dataset", "--from", folder, "--validation-share", "0.3", "--json")
    assert outcome.code == 0, outcome.error
    assert outcome.json["patients_in_both_splits"] == 0
    assert (folder / "split.csv").is_file()
    assert (folder / "data-report.json").is_file()


def test_an_existing_split_is_kept(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, normal=12, pneumonia=12)
    run("download_dataset", "--from", folder, "--validation-share", "0.3")
    before = (folder / "split.csv").read_bytes()
    run("download_dataset", "--from", folder, "--validation-share", "0.3", "--seed", "9")
    assert (folder / "split.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("download_dataset", "--from", "nowhere"), "There is no folder nowhere"),
        (("download_dataset", "--from", "nowhere", "--validation-share", "2"), "between 0 and 1"),
        (("train_model", "--data", "nowhere"), "download_dataset"),
        (("train_model", "--data", "nowhere", "--recipe", "nonesuch"), "no recipe nonesuch"),
        (("train_model", "--data", "nowhere", "--epochs", "0"), "above 0"),
        (("evaluate_model", "--data", "nowhere"), "There is no folder nowhere"),
        (("evaluate_model", "--data", "nowhere", "--prevalence", "7"), "between 0 and 1"),
    ],
)
def test_bad_options_are_explained(words: tuple[str, ...], sentence: str) -> None:
    outcome = run(*words)
    assert outcome.code == 1
    assert sentence in outcome.error


def test_evaluation_needs_both_class_folders(tmp_path: Path) -> None:
    (tmp_path / "NORMAL").mkdir()
    (tmp_path / "NORMAL" / "a.png").write_bytes(b"")
    assert "PNEUMONIA" in run("evaluate_model", "--data", tmp_path).error


def test_unknown_version_is_named(tmp_path: Path, settings: Settings) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    folder = make_folder(tmp_path / "films", normal=1, pneumonia=1)
    assert "“nonesuch”" in run("evaluate_model", "--data", folder, "--model", "nonesuch").error


def test_an_existing_version_is_not_overwritten(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "films", normal=12, pneumonia=12)
    run("download_dataset", "--from", folder, "--validation-share", "0.3")
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "card.json").write_text("{}", "utf-8")
    outcome = run("train_model", "--data", folder, "--output", tmp_path / "version")
    assert "already holds a version" in outcome.error


@pytest.mark.tensorflow
def test_evaluation_prints_its_metrics_and_draws(
    random_artifact: Artifact,  # noqa: F811 - the fixture
    tmp_path: Path,
    settings: Settings,
) -> None:
    settings.MODELS_DIR = random_artifact.folder.parent
    folder = make_folder(tmp_path / "films", normal=3, pneumonia=4)
    outcome = run(
        "evaluate_model", "--data", folder, "--model", "test-1", "--output", tmp_path / "out", "--json"
    )
    assert outcome.code == 0, outcome.error
    answer = outcome.json
    assert answer["n"] == 7
    for name in ("auc", "accuracy", "sensitivity", "specificity", "precision", "npv", "f1", "brier", "ece"):
        assert 0 <= answer[name] <= 1
        assert len(answer[f"{name}_ci"]) == 2
    assert sum(answer["confusion"].values()) == 7
    assert answer["threshold"] == 0.5
    assert answer["disclaimer"] == "Research and education only. Not for clinical use."
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "confusion_matrix.png",
        "roc.png",
        "precision_recall.png",
        "calibration.png",
        "scores.png",
    }
