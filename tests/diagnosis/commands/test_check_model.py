"""manage.py check_model: its options, its refusals, and that --quick writes nothing."""

from pathlib import Path

import pytest
from pytest_django import Settings

from pneumoml.cards.artifact import Artifact
from pneumoml.training.dataset import scan_folder, split_by_patient, write_split
from tests.pneumoml.conftest import random_network, small_artifact  # noqa: F401 - fixtures
from tests.support.inputs.labelled import make_folder
from tests.support.running import run

pytestmark = pytest.mark.django_db


def split_folder(folder: Path, *, each: int) -> Path:
    make_folder(folder, normal=each, pneumonia=each)
    write_split(split_by_patient(scan_folder(folder), validation_share=0.2), folder)
    return folder


def test_a_folder_without_a_split_is_refused(tmp_path: Path) -> None:
    outcome = run("check_model", "--data", make_folder(tmp_path, normal=1, pneumonia=1))
    assert outcome.code == 1
    assert "split.csv" in outcome.error


def test_an_unknown_version_is_named(tmp_path: Path, settings: Settings) -> None:
    settings.MODELS_DIR = tmp_path / "models"
    outcome = run("check_model", "--data", split_folder(tmp_path / "films", each=6), "--model", "nonesuch")
    assert "“nonesuch”" in outcome.error


@pytest.mark.tensorflow
def test_quick_measures_and_writes_nothing(
    small_artifact: Artifact,  # noqa: F811 - the fixture
    tmp_path: Path,
    settings: Settings,
) -> None:
    settings.MODELS_DIR = small_artifact.folder.parent
    before = {path.name: path.read_bytes() for path in small_artifact.folder.iterdir()}
    folder = split_folder(tmp_path / "films", each=8)
    options = ("--model", "test-1", "--quick", "--json", "--only", "explanations")
    outcome = run("check_model", "--data", folder, *options)
    assert outcome.code == 0, outcome.error
    assert outcome.json["written"] is False
    assert outcome.json["explanation"]["limits"]["most_outside"] == 0.5
    assert {path.name: path.read_bytes() for path in small_artifact.folder.iterdir()} == before


@pytest.mark.nightly
@pytest.mark.tensorflow
def test_quick_measures_both_parts(
    small_artifact: Artifact,  # noqa: F811 - the fixture
    tmp_path: Path,
    settings: Settings,
) -> None:
    settings.MODELS_DIR = small_artifact.folder.parent
    folder = split_folder(tmp_path / "films", each=30)
    outcome = run("check_model", "--data", folder, "--model", "test-1", "--quick", "--json")
    assert outcome.code == 0, outcome.error
    answer = outcome.json
    assert answer["written"] is False
    assert answer["scope"]["measured"]["no film: all"]["n"] == 13
    assert answer["explanation"]["limits"]["most_outside"] == 0.5


@pytest.mark.tensorflow
def test_too_few_films_are_refused(
    small_artifact: Artifact,  # noqa: F811 - the fixture
    tmp_path: Path,
    settings: Settings,
) -> None:
    settings.MODELS_DIR = small_artifact.folder.parent
    folder = split_folder(tmp_path / "films", each=8)
    outcome = run("check_model", "--data", folder, "--model", "test-1", "--quick", "--only", "scope")
    assert outcome.code == 1
    assert "30 films" in outcome.error
