"""Surroundings: the thorax is found, keeps its own film, and everything else is the other film's."""

from __future__ import annotations

import numpy as np

from pneumoml.imaging.preprocess import PreprocessConfig
from pneumoml.training.surroundings import swap_surroundings, thorax_mask, thorax_on_map
from tests.support.inputs import films

CONFIG = PreprocessConfig(crop=0.0)


def test_thorax_is_the_box_of_the_part_seen() -> None:
    mask = thorax_mask(films.chest_like(224, 224), CONFIG)
    assert (mask[32:192, 16:208] == 1).all()
    assert mask.sum() == 160 * 192
    cropped = thorax_mask(films.chest_like(224, 224), PreprocessConfig(crop=0.1))
    assert cropped.sum() < mask.sum()
    assert mask[cropped == 1].all()


def test_thorax_stays_and_surroundings_come_from_the_other_film() -> None:
    film, donor = films.chest_like(224, 224, seed=1), films.chest_like(224, 224, seed=2)
    donor[:16, :40] = 255
    mask = thorax_mask(film, CONFIG)
    swapped = swap_surroundings(film, donor, mask)
    assert np.array_equal(swapped[60:160, 50:170], film[60:160, 50:170])
    level = np.median(swapped[:8, 60:200].astype(int) - donor[:8, 60:200])
    assert np.abs(swapped[:8, 60:200] - donor[:8, 60:200].astype(int) - level).mean() < 2
    assert swapped[:8, :30].min() > film[:8, :30].max()


def test_a_film_that_is_all_thorax_is_left_as_it_is() -> None:
    film, donor = films.chest_like(64, 64, seed=1), films.chest_like(64, 64, seed=2)
    assert np.array_equal(swap_surroundings(film, donor, np.ones((64, 64), np.float32)), film)


def test_fields_of_a_map_hold_their_share_of_thorax() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[:, 24:] = 1
    assert thorax_on_map(mask, 4).tolist() == [[0, 128, 255, 255]] * 4
