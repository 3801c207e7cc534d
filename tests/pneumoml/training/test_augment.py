"""Augmentation changes what it says, by the seed, and never the shape."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from pneumoml.imaging.preprocess import recompress
from pneumoml.training.augment import AugmentConfig, augment, augment_with, band_jitter, sharpen, veil
from pneumoml.training.recipe import load_recipe
from tests.support.inputs import films

STRONG = load_recipe("robust").augmentation


def test_the_default_changes_nothing() -> None:
    film = films.chest_like(224, 224)
    assert np.array_equal(augment(film, np.random.default_rng(1), AugmentConfig()), film)


def test_same_seed_gives_the_same_film_and_another_seed_another() -> None:
    film = films.chest_like(224, 224)
    once, again, other = (augment(film, np.random.default_rng(seed), STRONG) for seed in (1, 1, 2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_films_stay_grey_and_of_their_shape() -> None:
    film = films.chest_like(160, 224)
    for seed in range(20):
        changed = augment(film, np.random.default_rng(seed), STRONG)
        assert changed.shape == (160, 224)
        assert changed.dtype == np.uint8
        assert np.ptp(changed) > 20


@pytest.mark.parametrize(
    "change",
    [
        {"rotation": 15},
        {"shear": 8},
        {"shift": 0.1},
        {"zoom": (0.7, 0.8)},
        {"aspect": 0.3},
        {"flip": 1},
        {"gamma": 0.5},
        {"contrast": 0.4},
        {"brightness": 30},
        {"sharpness": 1, "blur": 2, "sharpen": 2},
        {"noise": 8},
        {"jpeg_share": 1},
        {"clahe": 1},
        {"erase": 1},
        {"border": 1},
    ],
)
def test_every_value_changes_films(change: dict[str, float]) -> None:
    film = films.chest_like(224, 224)
    assert not np.array_equal(augment(film, np.random.default_rng(3), AugmentConfig(**change)), film)  # type: ignore[arg-type]


def test_flip_mirrors() -> None:
    film = films.chest_like(224, 224)
    mirrored = augment(film, np.random.default_rng(0), AugmentConfig(flip=1)).astype(int)
    assert np.abs(mirrored[5:-5, 5:-5] - film[:, ::-1][5:-5, 5:-5]).mean() < 1


def test_a_mask_moves_with_the_film() -> None:
    film, mask = films.chest_like(224, 224), np.zeros((224, 224), np.float32)
    mask[40:180, 20:60] = 1
    once = augment(film, np.random.default_rng(0), STRONG)
    again, moved = augment_with(film, mask, np.random.default_rng(0), AugmentConfig(flip=1))
    assert np.array_equal(once, augment_with(film, mask, np.random.default_rng(0), STRONG)[0])
    assert np.abs(moved - mask[:, ::-1]).max() < 0.01
    assert again.shape == moved.shape


def test_veil_blurs_some_fields_and_no_others() -> None:
    film = films.chest_like(224, 224).astype(np.float32)
    assert veil(film, np.random.default_rng(0), AugmentConfig()) is film
    changed = veil(film, np.random.default_rng(0), AugmentConfig(veil=1)) != film
    assert 0.1 < changed.mean() < 0.9


def test_bands_vary_only_when_asked() -> None:
    assert band_jitter(np.random.default_rng(0), AugmentConfig(), 6).tolist() == [1] * 6
    drawn = band_jitter(np.random.default_rng(0), AugmentConfig(bands=0.2), 6)
    assert (drawn > 0).all()
    assert drawn.std() > 0.05


def test_sharpening_and_recompression_do_what_their_names_say() -> None:
    film = films.chest_like(224, 224)
    detail = np.abs(np.diff(film.astype(float))).mean()
    assert np.abs(np.diff(sharpen(film.astype(np.float32), 1.0))).mean() > detail
    assert np.abs(np.diff(recompress(film, 10).astype(float))).mean() < detail


def test_plain_values_are_read_back() -> None:
    assert AugmentConfig.from_mapping(STRONG.to_mapping()) == STRONG
    assert {entry.name for entry in fields(AugmentConfig)} == set(STRONG.to_mapping())
