"""Pictures of a Grad-CAM map on its film: heat layer, heat map, overlay and side-by-side, as PNG bytes.

A map scaled to its own maximum is red on every film. Here maps are scaled by a reference strength (that of a
typical strong map of the same model version, from its card), so a weak map looks weak, and the strength is
written below the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pneumoml import DISCLAIMER
from pneumoml.decoding.images import encode_png
from pneumoml.explain.contours import LEVELS, contours_svg, draw_contours
from pneumoml.imaging.preprocess import WHOLE, Area

COLOUR_MAPS: dict[str, int] = {
    "JET": cv2.COLORMAP_JET,
    "TURBO": cv2.COLORMAP_TURBO,
    "HOT": cv2.COLORMAP_HOT,
    "INFERNO": cv2.COLORMAP_INFERNO,
    "PLASMA": cv2.COLORMAP_PLASMA,
    "VIRIDIS": cv2.COLORMAP_VIRIDIS,
    "CIVIDIS": cv2.COLORMAP_CIVIDIS,
    "BONE": cv2.COLORMAP_BONE,
}
DEFAULT_COLOUR_MAP = "JET"
DEFAULT_ALPHA = 0.45
HEAT, CONTOUR = "heat", "contour"
STYLES = (HEAT, CONTOUR)
DEFAULT_MAX_SIDE = 1024
MIN_SIDE, MAX_SIDE = 64, 4096
CAPTION = "Regions that raised the score"

_CONTOURS = f" Contours at {', '.join(f'{level:.0%}' for level in LEVELS)} of the scale."
_MIN_CANVAS = 360
_MARGIN = 10
_OPAQUE_FROM = 0.6
_INK, _PAPER = (235, 235, 235), (17, 17, 17)
_STRENGTH_WORDS = ((0.75, "strong"), (0.4, "moderate"), (0.1, "weak"), (0.0, "hardly any"))


class HeatmapOptionInvalid(ValueError):  # noqa: N818 - the name says what is wrong with the option
    """A picture option outside its range: `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class MapStrength:
    """How strong a map is: its maximum, the reference, their ratio (maximum over reference) and a word."""

    maximum: float
    reference: float
    ratio: float
    word: str

    def __str__(self) -> str:
        """Return the sentence for captions."""
        return f"map strength {self.ratio:.0%} of a typical strong map ({self.word})"


def check_colour_map(name: object) -> str:
    """Return the colour map's name in upper case. Raises `HeatmapOptionInvalid` (colour_map_unknown)."""
    upper = name.strip().upper() if isinstance(name, str) else ""
    if upper not in COLOUR_MAPS:
        raise HeatmapOptionInvalid(
            "colour_map_unknown", f"There is no such colour map. Choose one of {', '.join(COLOUR_MAPS)}."
        )
    return upper


def check_alpha(value: object) -> float:
    """Return the opacity, 0 (film only) to 1. Raises `HeatmapOptionInvalid` (alpha_invalid)."""
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        raise HeatmapOptionInvalid("alpha_invalid", "The opacity (alpha) must be a number from 0 to 1.")
    return number


def check_style(name: object) -> str:
    """Return the style in lower case. Raises `HeatmapOptionInvalid` (style_unknown)."""
    lower = name.strip().lower() if isinstance(name, str) else ""
    if lower not in STYLES:
        raise HeatmapOptionInvalid("style_unknown", f"The style must be one of {', '.join(STYLES)}.")
    return lower


def check_side(value: object) -> int:
    """Return the longest side in pixels, 64 to 4096. Raises `HeatmapOptionInvalid` (side_invalid)."""
    number = _number(value)
    if number is None or number != int(number) or not MIN_SIDE <= number <= MAX_SIDE:
        raise HeatmapOptionInvalid(
            "side_invalid",
            f"The picture's longest side must be a whole number from {MIN_SIDE} to {MAX_SIDE}.",
        )
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True, kw_only=True)
class MapStyle:
    """How a map is drawn: `reference` (> 0) is the strength at the hot end of the colour scale.

    `area` is the part of the film that the map covers, `style` is HEAT or CONTOUR. `alpha`, 0 to 1, is the
    opacity of the hottest regions (colder ones are more transparent) or of the contours; `max_side` limits
    the picture's longer side in pixels. Raises `HeatmapOptionInvalid`.
    """

    reference: float
    area: Area = WHOLE
    colour_map: str = DEFAULT_COLOUR_MAP
    alpha: float = DEFAULT_ALPHA
    style: str = HEAT
    max_side: int = DEFAULT_MAX_SIDE

    def __post_init__(self) -> None:
        """Check the options and write the names as COLOUR_MAPS and STYLES do."""
        object.__setattr__(self, "max_side", check_side(self.max_side))
        object.__setattr__(self, "colour_map", check_colour_map(self.colour_map))
        object.__setattr__(self, "alpha", check_alpha(self.alpha))
        object.__setattr__(self, "style", check_style(self.style))


def map_strength(cam: NDArray[np.floating[Any]], reference: float) -> MapStrength:
    """Compare a map (h, w), ReLU'd and in absolute units, with the reference strength (> 0)."""
    _check_map(cam, reference)
    maximum = float(cam.max())
    ratio = maximum / reference
    word = next(word for least, word in _STRENGTH_WORDS if ratio >= least)
    return MapStrength(maximum=maximum, reference=reference, ratio=ratio, word=word)


def _check_map(cam: NDArray[np.floating[Any]], reference: float) -> None:
    if cam.ndim != 2 or cam.size == 0 or not np.isfinite(cam).all() or float(cam.min()) < 0:
        raise ValueError("a map is (h, w), finite and not negative")
    if not (math.isfinite(reference) and reference > 0):
        raise ValueError("the reference strength must be greater than 0")


def heat_levels(
    cam: NDArray[np.floating[Any]], size: tuple[int, int], reference: float, area: Area = WHOLE
) -> NDArray[np.float32]:
    """Enlarge a map (h, w) to `size` (width, height) and scale it to 0–1: float32 (height, width).

    1 stands for the reference strength, or for the map's own maximum where that is stronger (so that a
    strong map keeps its shape). The map covers `area` of the film, the part that preprocessing passes to the
    network; the rest stays 0.
    """
    _check_map(cam, reference)
    width, height = size
    left, top, right, bottom = _pixels_of(area, width, height)
    scaled = (cam / max(reference, float(cam.max()))).astype(np.float32)
    inner = cv2.resize(scaled, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
    levels = np.zeros((height, width), np.float32)
    levels[top:bottom, left:right] = np.clip(inner, 0, 1)
    return levels


def _pixels_of(area: Area, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = area
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("an area is left, top, right, bottom, ascending, as shares from 0 to 1")
    first, upper = min(round(left * width), width - 1), min(round(top * height), height - 1)
    return first, upper, max(round(right * width), first + 1), max(round(bottom * height), upper + 1)


@cache
def _palette(colour_map: str) -> NDArray[np.uint8]:
    """Return RGB of the 256 levels, (256, 3)."""
    ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    return np.asarray(cv2.applyColorMap(ramp, COLOUR_MAPS[colour_map])[:, 0, ::-1], dtype=np.uint8)


def _coloured(levels: NDArray[np.float32], colour_map: str) -> NDArray[np.uint8]:
    indices = np.rint(levels * 255).astype(np.uint8)
    return np.take(_palette(colour_map), indices, axis=0)


def heat_rgba(cam: NDArray[np.floating[Any]], size: tuple[int, int], style: MapStyle) -> bytes:
    """Draw the transparent heat layer for the viewer: RGBA PNG of `size` (width, height).

    Opacity grows with heat (none where there is no heat), so cold regions show the film untouched. It has no
    caption, because it lies exactly over the film.
    """
    levels = heat_levels(cam, size, style.reference, style.area)
    return encode_png(np.dstack([_coloured(levels, style.colour_map), _opacity(levels)]))


def _opacity(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the opacity of the heat, full from 0.6 of the scale upwards, so that a weak map stays faint."""
    return np.asarray(np.rint(np.minimum(levels / _OPAQUE_FROM, 1) * 255), dtype=np.uint8)


def contour_layer(cam: NDArray[np.floating[Any]], size: tuple[int, int], style: MapStyle) -> bytes:
    """Draw the contours for the viewer: SVG of `size` (width, height), see `contours.contours_svg`."""
    return contours_svg(heat_levels(cam, size, style.reference, style.area), _palette(style.colour_map))


def heat_picture(cam: NDArray[np.floating[Any]], size: tuple[int, int], style: MapStyle) -> bytes:
    """Draw the map alone in colours, in the film's proportions, with the caption strip below: RGB PNG.

    In the style CONTOUR its lines lie on black, opaque.
    """
    levels = heat_levels(cam, _fitting(size, style.max_side), style.reference, style.area)
    if style.style == CONTOUR:
        black = np.zeros((*levels.shape, 3), np.uint8)
        picture = draw_contours(black, levels, _palette(style.colour_map), 1.0)
    else:
        picture = _coloured(levels, style.colour_map)
    return encode_png(_captioned(picture, map_strength(cam, style.reference), style))


def overlay(pixels: NDArray[np.uint8], cam: NDArray[np.floating[Any]], style: MapStyle) -> bytes:
    """Lay the map over a copy of the film uint8 (H, W), with the caption strip below the film: RGB PNG.

    The film is shrunk to at most `style.max_side` pixels.
    """
    film = _shrunk(pixels, style.max_side)
    levels = heat_levels(cam, (film.shape[1], film.shape[0]), style.reference, style.area)
    blended = _blended(film, levels, style)
    return encode_png(_captioned(blended, map_strength(cam, style.reference), style))


def side_by_side(pixels: NDArray[np.uint8], cam: NDArray[np.floating[Any]], style: MapStyle) -> bytes:
    """Draw film, map and overlay in one row, with the caption strip below: RGB PNG.

    Each of the three has at most `style.max_side` pixels a side.
    """
    film = _shrunk(pixels, style.max_side)
    height, width = film.shape
    gap = np.full((height, _MARGIN, 3), _PAPER, np.uint8)
    levels = heat_levels(cam, (width, height), style.reference, style.area)
    heat, blended = _coloured(levels, style.colour_map), _blended(film, levels, style)
    row = np.hstack([np.dstack([film] * 3), gap, heat, gap, blended])
    return encode_png(_captioned(row, map_strength(cam, style.reference), style))


def _fitting(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    factor = min(1.0, max_side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _shrunk(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape
    size = _fitting((width, height), max_side)
    if size == (width, height):
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _blended(film: NDArray[np.uint8], levels: NDArray[np.float32], style: MapStyle) -> NDArray[np.uint8]:
    if style.style == CONTOUR:
        return draw_contours(np.dstack([film] * 3), levels, _palette(style.colour_map), style.alpha)
    weight = (style.alpha / 255) * _opacity(levels).astype(np.float32)[..., None]
    grey = film.astype(np.float32)[..., None]
    return np.rint(grey + weight * (_coloured(levels, style.colour_map) - grey)).astype(np.uint8)


def _captioned(picture: NDArray[np.uint8], strength: MapStrength, style: MapStyle) -> NDArray[np.uint8]:
    """Add a strip with caption, colour scale and disclaimer below an RGB picture, which is unchanged."""
    height, width = picture.shape[:2]
    canvas_width = max(width, _MIN_CANVAS)
    text_size = int(min(max(canvas_width / 46, 12), 20))
    font = ImageFont.load_default(text_size)
    sentences = [f"{CAPTION}: {strength}.{_CONTOURS if style.style == CONTOUR else ''}", DISCLAIMER]
    lines = [line for sentence in sentences for line in _wrapped(sentence, font, canvas_width)]
    line_height = round(text_size * 1.4)
    text_top = text_size + 2 * _MARGIN
    strip_height = text_top + line_height * len(lines) + _MARGIN
    strip = Image.new("RGB", (canvas_width, strip_height), _PAPER)
    _draw_scale(strip, _MARGIN, text_size, style.colour_map, font)
    draw = ImageDraw.Draw(strip)
    for index, line in enumerate(lines):
        draw.text((_MARGIN, text_top + index * line_height), line, _INK, font)
    canvas = np.full((height + strip_height, canvas_width, 3), _PAPER, np.uint8)
    left = (canvas_width - width) // 2
    canvas[:height, left : left + width] = picture
    canvas[height:] = np.asarray(strip)
    return canvas


def _draw_scale(
    strip: Image.Image,
    top: int,
    height: int,
    colour_map: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw the colour scale from "none" to "strong" across the strip."""
    draw = ImageDraw.Draw(strip)
    left = _MARGIN + round(draw.textlength("none", font)) + _MARGIN
    right = strip.width - 2 * _MARGIN - round(draw.textlength("strong", font))
    ramp = np.tile(np.linspace(0, 1, right - left, dtype=np.float32), (height, 1))
    strip.paste(Image.fromarray(_coloured(ramp, colour_map)), (left, top))
    draw.text((_MARGIN, top), "none", _INK, font)
    draw.text((right + _MARGIN, top), "strong", _INK, font)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width - 2 * _MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
