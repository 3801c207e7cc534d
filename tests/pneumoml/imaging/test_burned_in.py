"""Text burned into a film is suspected; films with nothing but side markers are left alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.decoding.images import decode_film
from pneumoml.imaging.burned_in import _patches, looks_burned_in
from tests.support.inputs.films import chest_like

SAMPLES = sorted((Path(__file__).resolve().parents[3] / "samples").glob("*.jpeg"))


def with_text(text: str, *, grey: int = 255, size: float = 0.8) -> NDArray[np.uint8]:
    film = np.clip(chest_like(600, 700), 30, 200)
    cv2.putText(film, text, (40, 60), cv2.FONT_HERSHEY_SIMPLEX, size, grey, 2)
    return film


@pytest.mark.parametrize("grey", [0, 255])
@pytest.mark.parametrize("size", [0.5, 0.8, 2.0])
def test_a_name_in_white_or_black_is_suspected(grey: int, size: float) -> None:
    assert looks_burned_in(with_text("DOE JANE 1960", grey=grey, size=size))


@pytest.mark.parametrize("marker", ["", "R", "L", "PA", "AP L"])
def test_side_and_view_markers_are_not_suspected(marker: str) -> None:
    assert not looks_burned_in(with_text(marker))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_real_films_are_not_suspected_until_a_name_is_written_on_them(path: Path) -> None:
    film = decode_film(path.read_bytes()).pixels.copy()
    assert not looks_burned_in(film)
    cv2.putText(film, "DOE JANE 1960", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    assert looks_burned_in(film)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_even_film_is_not_suspected(grey: int) -> None:
    assert not looks_burned_in(np.full((64, 64), grey, np.uint8))


def test_noise_is_not_suspected() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (400, 400)).astype(np.uint8)
    assert not looks_burned_in(noise)


@pytest.mark.parametrize("side", [300, 1000])  # up to 13,000 patches, and more than 16 bits count
@pytest.mark.parametrize("share", [0.06, 0.2])
def test_patches_are_the_same_whichever_labels_hold_them(side: int, share: float) -> None:
    mask = (np.random.default_rng(5).random((side, 2 * side)) < share).astype(np.uint8)
    plain = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    assert np.array_equal(_patches(mask), plain)
    few = np.zeros((40, 40), np.uint8)
    few[::10, 5] = 1
    assert len(_patches(few)) == 0
