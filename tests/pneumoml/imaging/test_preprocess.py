"""Preparing films: shapes, standardised contrast, the card's values, refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.imaging.preprocess import (
    IMAGENET_MEAN_BGR,
    PreprocessConfig,
    PreprocessRefused,
    band_contrasts,
    prepare,
    seen_area,
    shrink,
    split_bands,
    standardise,
)
from tests.support.inputs import films

TARGETS = (2.2, 3.3, 5.8, 8.4, 11.6, 35.5)
CONFIG = PreprocessConfig(band_targets=TARGETS)


def soft(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    blurred = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1.0)
    return np.asarray((blurred - blurred.mean()) * 0.7 + blurred.mean(), dtype=np.uint8)


def test_input_has_the_networks_shape_without_imagenet_means() -> None:
    prepared = prepare(films.chest_like(), CONFIG)
    assert prepared.shape == (224, 224, 3)
    assert prepared.dtype == np.float32
    grey = prepared + np.array(IMAGENET_MEAN_BGR, np.float32)
    assert np.ptp(grey, axis=-1).max() < 1e-3
    assert grey.min() >= -1e-3
    assert grey.max() <= 255.001


def test_same_film_is_prepared_the_same_way() -> None:
    assert np.array_equal(prepare(films.chest_like(), CONFIG), prepare(films.chest_like(), CONFIG))


def test_a_soft_copy_of_a_film_gets_the_contrast_of_the_sharp_one() -> None:
    film = films.chest_like()
    plain = replace(CONFIG, band_targets=())
    before = np.log(
        band_contrasts(standardise(film, plain), CONFIG.band_sigmas)
        / band_contrasts(standardise(soft(film), plain), CONFIG.band_sigmas)
    )
    after = np.log(
        band_contrasts(standardise(film, CONFIG), CONFIG.band_sigmas)
        / band_contrasts(standardise(soft(film), CONFIG), CONFIG.band_sigmas)
    )
    assert before[0] > 0.5
    assert np.abs(after).max() < 0.3


def test_bands_add_up_to_the_film() -> None:
    grey = films.chest_like(224, 224).astype(np.float32)
    assert np.allclose(sum(split_bands(grey, CONFIG.band_sigmas)), grey, atol=1e-2)


def test_jitter_varies_the_contrast_of_its_band() -> None:
    jitter = np.array([1.5, 1, 1, 1, 1, 1])
    film = films.chest_like()
    ratio = band_contrasts(standardise(film, CONFIG, jitter), CONFIG.band_sigmas) / band_contrasts(
        standardise(film, CONFIG), CONFIG.band_sigmas
    )
    assert ratio[0] > 1.2
    assert ratio[-1] == pytest.approx(1, abs=0.02)


def test_a_blank_film_is_prepared_without_added_noise() -> None:
    assert np.ptp(standardise(np.full((300, 200), 90, np.uint8), CONFIG)) < 1


def framed(level: int, thickness: int = 20) -> NDArray[np.uint8]:
    film = np.full((224, 224), level, np.uint8)
    film[thickness:-thickness, thickness:-thickness] = 120
    return film


@pytest.mark.parametrize("level", [0, 12, 250])
def test_an_empty_frame_is_cut_off(level: int) -> None:
    config = replace(CONFIG, trim=0.15, crop=0.0)
    assert seen_area(framed(level), config) == pytest.approx((20 / 224, 20 / 224, 204 / 224, 204 / 224))


def test_a_film_in_a_black_frame_is_prepared_like_the_film_alone() -> None:
    film = films.chest_like(184, 184)
    config = replace(CONFIG, trim=0.15)
    frame = np.zeros((224, 224), np.uint8)
    frame[20:-20, 20:-20] = np.maximum(film, 30)
    alone = standardise(np.maximum(film, 30), replace(config, trim=0.0))
    inside = standardise(frame, config)
    assert np.corrcoef(alone.ravel(), inside.ravel())[0, 1] > 0.97
    untrimmed = standardise(frame, replace(config, trim=0.0))
    assert np.corrcoef(alone.ravel(), untrimmed.ravel())[0, 1] < 0.9


def test_no_more_than_the_limit_is_trimmed_and_a_grey_frame_stays() -> None:
    config = replace(CONFIG, trim=0.05, crop=0.0)
    assert seen_area(framed(0), config) == pytest.approx((11 / 224, 11 / 224, 213 / 224, 213 / 224))
    assert seen_area(framed(60), config) == (0.0, 0.0, 1.0, 1.0)


def test_an_empty_film_is_shown_whole_but_for_the_crop() -> None:
    config = replace(CONFIG, trim=0.15, crop=0.25)
    assert seen_area(np.zeros((224, 224), np.uint8), config) == (0.25, 0.25, 0.75, 0.75)


def test_a_film_and_its_archived_copy_are_prepared_alike() -> None:
    config = replace(CONFIG, archive_quality=75)
    film = films.chest_like(900, 700)
    copy = shrink(film, config)
    assert copy.shape == (224, 224)
    assert np.array_equal(prepare(film, config), prepare(copy, config))
    assert not np.array_equal(copy, shrink(film, CONFIG))


def test_card_keeps_every_value() -> None:
    config = replace(CONFIG, crop=0.06, clahe_clip=2.0)
    assert PreprocessConfig.from_card(json.loads(json.dumps(config.to_card()))) == config


@pytest.mark.parametrize(
    "entry",
    [
        {"unknown": 1},
        {"size": 7},
        {"crop": "wide"},
        {"window": [99, 1]},
        {"band_targets": [1, 2]},
        {"band_sigmas": [3.0, 1.0]},
        {"band_limit": 0.5},
        {"trim": 0.4},
        {"archive_quality": 101},
    ],
)
def test_unusable_card_entry_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(PreprocessRefused) as caught:
        PreprocessConfig.from_card(entry)
    assert caught.value.code == "preprocessing_invalid"


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32), np.zeros((1, 9), np.uint8)]
)
def test_anything_but_a_grey_8_bit_film_is_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(PreprocessRefused) as caught:
        prepare(pixels, CONFIG)
    assert caught.value.code == "film_shape"
