"""manage.py predict_image: films from files, with a network that gives a known result."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings as django_settings
from numpy.typing import NDArray
from pytest_django import Settings

from pneumoml.cards.artifact import Artifact, write_artifact
from pneumoml.explain.gradcam import LayerUnknown
from pneumoml.network.predictor import Predictor
from tests.support.cards import CARD
from tests.support.inputs.films import chest_png, photograph, png
from tests.support.results import film_result
from tests.support.running import run

ROOT = Path(__file__).resolve().parents[3]
LOADED: list[str] = []


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the calibrated probability that the network gives to every film; 0.78 until then."""
    answer = {"score": 0.78}

    def load(artifact: Artifact, *, layer: str) -> Any:
        if layer not in ("block5_conv3", "block4_conv3"):
            raise LayerUnknown(layer, ("block5_conv3",))
        LOADED.append(artifact.card.version)

        def predict(pixels: NDArray[np.uint8], *, colour_fraction: float) -> Any:
            coloured = ("colour",) if colour_fraction > 0.05 else ()
            return film_result(answer["score"], scope_flags=coloured)

        return SimpleNamespace(card=artifact.card, predict=predict)

    def set_score(value: float) -> None:
        answer["score"] = value

    LOADED.clear()
    monkeypatch.setattr(Predictor, "load", load)
    return set_score


@pytest.fixture
def models(tmp_path: Path, settings: Settings, score: object, db: None) -> Path:
    """Two shipped versions; none is active."""
    settings.MODELS_DIR = tmp_path / "models"
    for version, created in (("a-newer", "2026-02-01"), ("b-older", "2025-02-01")):
        card = {**CARD, "version": version, "created": created}
        write_artifact(tmp_path / "models" / version, card, {"layer/kernel": np.ones((2, 2), np.float32)})
    return tmp_path / "models"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """One film in a file."""
    path = tmp_path / "a film.png"
    path.write_bytes(chest_png())
    return path


def test_a_film_is_analysed_and_reported_in_words_with_the_disclaimer(models: Path, film: Path) -> None:
    outcome = run("predict_image", film)
    assert outcome.code == 0
    assert "PNEUMONIA, confidence 78.0%" in outcome.output
    assert "operating point 50.0%" in outcome.output
    assert django_settings.DISCLAIMER in outcome.output


def test_below_the_operating_point_it_is_normal_with_the_confidence_of_normal(
    models: Path, film: Path, score: Callable[[float], None]
) -> None:
    score(0.2)
    (answer,) = run("predict_image", film, "--json").json["films"]
    assert (answer["diagnosis"], answer["confidence"], answer["borderline"]) == (
        "NORMAL",
        pytest.approx(0.8),
        False,
    )


def test_json_has_everything_a_script_needs(models: Path, film: Path) -> None:
    answer = run("predict_image", film, "--json").json
    assert answer["model_version"] == "a-newer"
    assert answer["disclaimer"] == django_settings.DISCLAIMER
    (found,) = answer["films"]
    assert found["file"] == str(film)
    assert (found["raw_score"], found["calibrated_probability"], found["threshold"]) == (
        0.82,
        0.78,
        0.5,
    )
    assert found["pictures"] == {}


def test_three_pictures_are_written_under_plain_names(models: Path, film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    run("predict_image", film, "--output", folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["a_film-heatmap.png", "a_film-overlay.png", "a_film-side-by-side.png"]
    assert all(cv2.imread(str(path)) is not None for path in folder.iterdir())


def test_two_films_of_one_name_keep_their_own_pictures(models: Path, tmp_path: Path) -> None:
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "film.png")
        paths[-1].write_bytes(chest_png())
    run("predict_image", *paths, "--output", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_colour_map_and_opacity_change_the_overlay(models: Path, film: Path, tmp_path: Path) -> None:
    def overlay(*words: object) -> bytes:
        run("predict_image", film, "--output", tmp_path / "out", *words)
        return (tmp_path / "out" / "a_film-overlay.png").read_bytes()

    plain = overlay()
    assert overlay("--colour-map", "VIRIDIS") != plain
    assert overlay("--alpha", "0.9") != plain


def test_without_an_active_model_the_newest_shipped_one_is_used(models: Path, film: Path) -> None:
    run("predict_image", film)
    assert LOADED == ["a-newer"]


def test_the_active_model_is_used_if_there_is_one(models: Path, film: Path) -> None:
    run("register_model", "b-older", "--activate")
    run("predict_image", film)
    assert LOADED == ["b-older"]


def test_a_named_version_is_used_whatever_is_active(models: Path, film: Path) -> None:
    run("register_model", "b-older", "--activate")
    run("predict_image", film, "--model", "a-newer")
    assert LOADED == ["a-newer"]


def test_a_refused_file_is_reported_while_the_others_are_analysed(
    models: Path, film: Path, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.png"
    letter.write_text("Dear colleague")
    outcome = run("predict_image", letter, film, tmp_path / "gone.png", tmp_path, "--json")
    assert outcome.code == 1
    refused, analysed, missing, folder = outcome.json["films"]
    assert refused["error"]["code"] == "not_an_image"
    assert analysed["diagnosis"] == "PNEUMONIA"
    assert missing["error"]["code"] == "file_missing"
    assert folder["error"]["code"] == "is_a_folder"


def test_in_words_a_refused_film_is_explained(models: Path, tmp_path: Path) -> None:
    outcome = run("predict_image", tmp_path / "gone.png")
    assert outcome.code == 1
    assert "gone.png: not read. There is no such file." in outcome.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "nothing"], "There is no model “nothing”. Available: a-newer, b-older."),
        (["--layer", "nothing"], "Choose one of block5_conv3"),
        (["--colour-map", "nothing"], "no such colour map"),
        (["--alpha", "2"], "from 0 to 1"),
    ],
)
def test_a_wrong_option_is_explained(models: Path, film: Path, words: list[str], sentence: str) -> None:
    outcome = run("predict_image", film, *words)
    assert outcome.code == 1
    assert sentence in outcome.error


def test_changed_weights_are_not_used(models: Path, film: Path) -> None:
    (models / "a-newer" / "weights.npz").write_bytes(b"changed")
    outcome = run("predict_image", film, "--model", "a-newer")
    assert outcome.code == 1
    assert "The model cannot be used" in outcome.error


@pytest.mark.parametrize("command", ["predict_image", "register_model", "verify_audit"])
def test_help_has_examples_and_the_disclaimer(command: str) -> None:
    words = [sys.executable, "manage.py", command, "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "Examples:" in done.stdout
    assert django_settings.DISCLAIMER in done.stdout


@pytest.mark.tensorflow
def test_the_shipped_model_analyses_a_sample_film_without_a_database(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PNEUMOWEB_VAR": str(tmp_path / "var"),
        "PNEUMOWEB_ENV_FILE": "/dev/null",
    }
    words = [
        sys.executable,
        "manage.py",
        "predict_image",
        "samples/film-01.jpeg",
        "--json",
        "--output",
        tmp_path,
    ]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (film,) = json.loads(done.stdout)["films"]
    assert 0 <= film["calibrated_probability"] <= 1
    assert (tmp_path / "film-01-side-by-side.png").is_file()


def test_a_colour_picture_is_analysed_and_reported_as_out_of_scope(tmp_path: Path, models: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(photograph()))
    said = run("predict_image", picture)
    assert said.code == 0
    assert "PNEUMONIA" in said.output
    assert "colour picture" in said.output
    (film,) = run("predict_image", picture, "--json").json["films"]
    assert (film["scope_flags"], film["map_flags"]) == (["colour"], [])
