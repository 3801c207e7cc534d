"""Contours of a map: at the stated levels, where the map crosses them, on pictures and as SVG."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pneumoml.explain import heatmap
from pneumoml.explain.contours import LEVELS, contours_svg, find_contours
from pneumoml.explain.heatmap import MapStyle

SVG = "{http://www.w3.org/2000/svg}"
PALETTE = np.stack([np.arange(256, dtype=np.uint8)] * 3, axis=1)


def hill(peak: float = 1.0, side: int = 200) -> NDArray[np.float32]:
    """A cone in the middle: `peak` at the top, 0 at 80 pixels from it."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32) - side / 2
    return np.clip(peak * (1 - np.hypot(rows, columns) / 80), 0, 1).astype(np.float32)


def test_a_contour_lies_where_the_map_crosses_its_level() -> None:
    contours = find_contours(hill())
    assert tuple(contour.level for contour in contours) == LEVELS
    for contour in contours:
        (line,) = contour.lines
        radii = np.hypot(*(line - 100).T)
        assert np.abs(radii - 80 * (1 - contour.level)).max() < 2


def test_a_level_that_the_map_does_not_reach_has_no_line() -> None:
    assert [len(contour.lines) for contour in find_contours(hill(peak=0.5))] == [1, 1, 0, 0]
    assert b"<path" not in contours_svg(np.zeros((50, 50), np.float32), PALETTE)


def test_a_region_at_the_edge_is_closed_along_it() -> None:
    levels = np.zeros((100, 100), np.float32)
    levels[:40, :40] = 1
    (line,) = find_contours(levels)[0].lines
    assert line.min() >= 0
    assert line.max() < 40


def test_the_svg_names_each_level_and_colours_it_as_the_scale_does() -> None:
    root = ET.fromstring(contours_svg(hill(), PALETTE))
    assert root.get("viewBox") == "0 0 200 200"
    groups = root.findall(f"{SVG}g")
    assert [group.get("data-level") for group in groups] == ["20", "40", "60", "80"]
    assert [group.get("stroke") for group in groups] == ["#333333", "#666666", "#999999", "#cccccc"]
    assert [group.findtext(f"{SVG}text") for group in groups] == ["20%", "40%", "60%", "80%"]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_lines_are_drawn_over_a_film_and_leave_the_rest_of_it(alpha: float) -> None:
    film = np.full((280, 280), 120, np.uint8)
    cam = hill(side=14 * 20)[::20, ::20]
    png = heatmap.overlay(film, cam, MapStyle(reference=1.0, alpha=alpha, style="contour", max_side=280))
    picture = np.asarray(Image.open(io.BytesIO(png)))[:280, 40:320]  # centred above a wider caption
    touched = (picture != 120).any(axis=2).mean()
    assert touched == 0 if alpha == 0 else 0.01 < touched < 0.3
