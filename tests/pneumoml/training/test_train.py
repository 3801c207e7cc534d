"""Training on ten films: two steps, deterministic by seed, resumable, and a version that reads films."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pneumoml.imaging.preprocess import PreprocessConfig
from pneumoml.training.augment import AugmentConfig
from pneumoml.training.dataset import LabelledFilm, scan_folder
from pneumoml.training.features import balanced_pass, cached_pass, film_and_thorax, film_input
from pneumoml.training.fitting import batches, read_log
from pneumoml.training.recipe import Recipe
from pneumoml.training.train import Trained, Trunk, train, training_plan
from tests.support.inputs.labelled import make_folder

pytestmark = pytest.mark.tensorflow

RECIPE = Recipe(
    passes=1,
    sides=(48,),
    epochs=1,
    batch_size=5,
    balanced=True,
    optimiser="adamw",
    schedule="cosine",
    mixup=0.2,
    average=0.9,
    clip_norm=1.0,
    patience=0,
    augmentation=AugmentConfig(rotation=10, flip=0.5, bands=0.1),
    preprocessing=PreprocessConfig(size=64, band_targets=(2.2, 3.3, 5.8, 8.4, 11.6, 35.5)),
)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFilm]:
    """Five training films of either class and two validation films of either."""
    found = scan_folder(make_folder(tmp_path_factory.mktemp("films"), normal=7, pneumonia=7))
    return [replace(film, split="val" if number % 7 > 4 else "train") for number, film in enumerate(found)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VGG16 base with seeded random weights."""
    import keras

    keras.utils.set_random_seed(1)
    path: Path = tmp_path_factory.mktemp("base") / "base.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None, input_shape=(None, None, 3)).save_weights(path)
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("run")
    return path


@pytest.fixture(scope="module")
def trained(run_folder: Path, films: list[LabelledFilm], base: Path) -> Trained:
    return train(run_folder, films, RECIPE, base)


def test_two_steps_change_block_5_and_the_head_only(trained: Trained) -> None:
    weights, start = trained.weights(), trained.trunk.weights
    assert np.array_equal(weights["block4_conv3/kernel"], start["block4_conv3/kernel"])
    assert not np.array_equal(weights["block5_conv3/kernel"], start["block5_conv3/kernel"])
    assert "logit/kernel" in weights


def test_recipe_may_train_block_4_too(
    films: list[LabelledFilm], base: Path, tmp_path: Path, trained: Trained
) -> None:
    recipe = replace(RECIPE, trained_blocks=2, mixup=0.0, quiet=0.5)
    deeper = train(tmp_path, films, recipe, base)
    weights, start = deeper.weights(), deeper.trunk.weights
    assert set(weights) == set(trained.weights())
    assert np.array_equal(weights["block3_conv3/kernel"], start["block3_conv3/kernel"])
    assert not np.array_equal(weights["block4_conv1/kernel"], start["block4_conv1/kernel"])
    assert deeper.validation.features.shape == (4, 8, 8, 256)
    assert deeper.trained_layers()[:2] == ["block4_conv1", "block4_conv2"]
    assert trained.trained_layers()[0] == "block5_conv1"


def test_depth_is_part_of_what_a_cached_pass_depends_on(films: list[LabelledFilm]) -> None:
    shallow, deep = (training_plan(films, replace(RECIPE, trained_blocks=blocks), 0) for blocks in (1, 2))
    assert shallow.fingerprint("base") != deep.fingerprint("base")


def test_penalty_is_the_share_of_evidence_outside_the_thorax() -> None:
    import keras
    import tensorflow as tf

    from pneumoml.network.vgg16 import build_tail
    from pneumoml.training.quiet import SplitTail

    keras.utils.set_random_seed(2)
    split = SplitTail(build_tail((0.0, 0.0, 0.0)))
    features = tf.constant(np.random.default_rng(0).uniform(0, 9, (2, 4, 4, 512)).astype(np.float32))
    left = np.zeros((2, 4, 4), np.float32)
    left[:, :, :2] = 1
    shares = [float(split(features, tf.constant(thorax))[1]) for thorax in (left, 1 - left, left * 0)]
    assert shares[0] + shares[1] == pytest.approx(1, abs=0.01)
    assert shares[2] == pytest.approx(1, abs=0.01)
    assert split(features, tf.constant(left))[0].shape == (2,)


def test_log_has_a_line_an_epoch(trained: Trained, run_folder: Path) -> None:
    (line,) = read_log(run_folder / "log.csv")
    assert line.epoch == 1
    assert line.loss > 0
    assert 0 <= line.val_auc <= 1


def test_same_seed_trains_the_same_network(
    trained: Trained, films: list[LabelledFilm], base: Path, tmp_path: Path
) -> None:
    again = train(tmp_path, films, RECIPE, base).weights()
    for name, array in trained.weights().items():
        assert np.allclose(array, again[name], atol=1e-5), name


def test_finished_run_is_opened_not_trained_again(
    trained: Trained, run_folder: Path, films: list[LabelledFilm], base: Path
) -> None:
    again = train(run_folder, films, RECIPE, base)
    assert np.array_equal(again.weights()["logit/kernel"], trained.weights()["logit/kernel"])
    assert len(read_log(run_folder / "log.csv")) == 1


def test_interrupted_pass_goes_on_where_it_stopped(
    films: list[LabelledFilm], base: Path, tmp_path: Path
) -> None:
    trunk = Trunk(base)
    plan = training_plan([film for film in films if film.split == "train"], RECIPE, 0)
    whole = np.array(cached_pass(tmp_path / "whole", plan, trunk.model, trunk.digest).features)
    cached_pass(tmp_path / "part", plan, trunk.model, trunk.digest)
    features = np.lib.format.open_memmap(tmp_path / "part" / "features.npy", mode="r+")
    features[6:] = 0
    features.flush()
    state = tmp_path / "part" / "state.json"
    state.write_text(state.read_text("utf-8").replace('"done": 10', '"done": 6'), "utf-8")
    resumed = np.array(cached_pass(tmp_path / "part", plan, trunk.model, trunk.digest).features)
    assert np.abs(whole[6:]).max() > 0
    assert np.allclose(resumed, whole, rtol=0.01, atol=0.01)


def test_balanced_passes_use_every_film_before_any_twice(films: list[LabelledFilm]) -> None:
    many = [film for film in films if film.label == 1]
    few = [film for film in films if film.label == 0][:2]
    drawn = [film for number in range(3) for film in balanced_pass([*many, *few], number, 1) if film.label]
    assert len(drawn) == 6
    assert len({film.path for film in drawn}) == 6


def test_films_of_a_pass_are_the_same_every_time(films: list[LabelledFilm]) -> None:
    plan = training_plan(films, RECIPE, 0)
    assert film_input(plan, 3).shape == (48, 48, 3)
    assert np.array_equal(film_input(plan, 3), film_input(plan, 3))
    assert not np.array_equal(film_input(plan, 3), film_input(replace(plan, number=1), 3))


def test_swapped_surroundings_and_veil_leave_other_draws_as_they_were(films: list[LabelledFilm]) -> None:
    plan = training_plan(films, replace(RECIPE, sides=(64,), augmentation=AugmentConfig()), 0)
    swapped = replace(plan, augmentation=AugmentConfig(surroundings=1.0))
    veiled = replace(plan, augmentation=AugmentConfig(veil=1.0))
    before, thorax = film_and_thorax(plan, 0)
    after, same = film_and_thorax(swapped, 0)
    assert np.array_equal(thorax, same)
    assert thorax.shape == (4, 4)
    assert thorax[1:3, 1:3].min() == 255
    assert not np.array_equal(before, after)
    assert not np.array_equal(before, film_input(veiled, 0))


def test_batches_smooth_labels_and_mix_films(trained: Trained) -> None:
    data = trained.validation
    plain = Recipe(batch_size=4, label_smoothing=0.1)
    (features, targets, thorax), *_ = batches(data, plain, 0)
    assert sorted(set(targets.tolist())) == pytest.approx([0.05, 0.95])
    mixed = next(batches(data, replace(plain, mixup=0.4), 0))[0]
    assert features.shape == mixed.shape
    assert thorax.shape == (4, 4, 4)
    assert 0 <= thorax.min() < thorax.max() == 1
    assert not np.allclose(features, mixed)
