"""Contours of a Grad-CAM map at stated levels: lines drawn on a picture, or as SVG for the viewer."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS = (0.2, 0.4, 0.6, 0.8)  # shares of the scale; 1 is its hot end

_SMOOTHED = 9  # points that each one is averaged with; removes the steps between pixels
_SHORTEST = 12  # points; a shorter line is a speck
_THICKNESS = 0.004  # of the picture's longer side
_SEAM = (0, 0, 0)
_LINE = 2.0


@dataclass(frozen=True)
class Contour:
    """The closed lines at one level (share of the scale, 0 to 1): float32 (n, 2) each, x and y in pixels."""

    level: float
    lines: list[NDArray[np.float32]]


def find_contours(levels: NDArray[np.float32]) -> list[Contour]:
    """Find where a map, enlarged and scaled to 0–1 as float32 (h, w), crosses each of LEVELS.

    A level that the map does not reach has no lines. A region that touches the picture's edge is closed
    along it.
    """
    return [Contour(level, _lines_at(levels, level)) for level in LEVELS]


def _lines_at(levels: NDArray[np.float32], level: float) -> list[NDArray[np.float32]]:
    mask = (levels >= level).astype(np.uint8)
    found, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return [_smooth(line[:, 0].astype(np.float32)) for line in found if len(line) >= _SHORTEST]


def _smooth(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average each point of a closed line (n, 2) with its neighbours; the line may lie on pixel corners."""
    half = _SMOOTHED // 2
    around = np.concatenate([line[-half:], line, line[:half]])
    kernel = np.ones(_SMOOTHED) / _SMOOTHED
    smoothed = np.column_stack([np.convolve(around[:, axis], kernel, "valid") for axis in (0, 1)])
    return np.asarray(smoothed, dtype=np.float32)


def draw_contours(
    picture: NDArray[np.uint8], levels: NDArray[np.float32], palette: NDArray[np.uint8], alpha: float
) -> NDArray[np.uint8]:
    """Draw the contours of `levels` (h, w) on a copy of an RGB picture (h, w, 3), each in its level's colour.

    `palette` is RGB, uint8 (256, 3), from cold to hot; `alpha`, 0 to 1, is the opacity that heat
    would have; lines are thin and get twice that, at most 1. A dark seam keeps them apart from bright parts
    of the film; higher levels are drawn thicker.
    """
    drawn = picture.copy()
    for contour in find_contours(levels):
        thickness = max(1, round(max(levels.shape) * _THICKNESS * (0.5 + contour.level)))
        points = [np.rint(line).astype(np.int32) for line in contour.lines]
        cv2.polylines(drawn, points, True, _SEAM, thickness + 2, cv2.LINE_AA)
        cv2.polylines(drawn, points, True, _colour(palette, contour.level), thickness, cv2.LINE_AA)
    opacity = min(1.0, _LINE * alpha)
    mixed = cv2.addWeighted(drawn, opacity, picture, 1 - opacity, 0)
    return np.asarray(mixed, dtype=np.uint8)


def _colour(palette: NDArray[np.uint8], level: float) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in palette[round(255 * level)])
    return red, green, blue


def contours_svg(levels: NDArray[np.float32], palette: NDArray[np.uint8]) -> bytes:
    """Write the contours of `levels` (h, w) as an SVG of that size.

    One group a level, with `data-level` in per cent of the scale; in each group one path in the level's
    colour and one text where the level's number belongs.
    """
    height, width = levels.shape
    groups = "".join(_group(contour, palette) for contour in find_contours(levels) if contour.lines)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" fill="none">'
    return f"{opening}{groups}</svg>".encode()


def _group(contour: Contour, palette: NDArray[np.uint8]) -> str:
    percent = round(100 * contour.level)
    red, green, blue = _colour(palette, contour.level)
    path = "".join(_path(line) for line in contour.lines)
    longest = max(contour.lines, key=len)
    x, y = longest[int(np.argmin(longest[:, 1]))]  # its top
    return (
        f'<g data-level="{percent}" stroke="#{red:02x}{green:02x}{blue:02x}"><path d="{path}"/>'
        f'<text x="{x:.1f}" y="{y:.1f}">{percent}%</text></g>'
    )


def _path(line: NDArray[np.float32]) -> str:
    """Write every third point, which looks smooth enough; half a pixel on, since points are pixel centres."""
    return "M" + "L".join(f"{x + 0.5:.1f} {y + 0.5:.1f}" for x, y in line[::3]) + "Z"
