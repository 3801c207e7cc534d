"""Pictures of Grad-CAM maps: absolute strength, options, captions below and never over the film."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pneumoml import DISCLAIMER
from pneumoml.explain import heatmap
from pneumoml.explain.heatmap import HeatmapOptionInvalid, MapStyle
from tests.support.inputs import films

Pixels = NDArray[Any]


def spot(strength: float = 1.0) -> NDArray[np.float32]:
    """A 14 × 14 map with one hot region, lower right."""
    cam = np.zeros((14, 14), np.float32)
    cam[8:11, 9:12] = strength
    return cam


def style(**options: Any) -> MapStyle:
    return MapStyle(**{"reference": 1.0, **options})


def opened(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)))


def colourfulness(picture: Pixels) -> float:
    """Mean spread between the channels."""
    return float((picture[..., :3].max(axis=2).astype(int) - picture[..., :3].min(axis=2)).mean())


def test_layer_has_the_film_size_and_is_clear_where_there_is_no_heat() -> None:
    layer = opened(heatmap.heat_rgba(spot(), (360, 300), style()))
    assert layer.shape == (300, 360, 4)
    assert layer[10, 10, 3] == 0
    assert layer[205, 270, 3] == 255


def test_heat_lies_at_the_position_in_the_map() -> None:
    levels = heatmap.heat_levels(spot(), (280, 140), 1.0)
    rows, columns = np.nonzero(levels > 0.5)
    assert levels.shape == (140, 280)
    assert abs(rows.mean() / 140 - 9.5 / 14) < 0.02
    assert abs(columns.mean() / 280 - 10.5 / 14) < 0.02


def test_map_lies_in_the_part_of_the_film_that_the_network_saw() -> None:
    levels = heatmap.heat_levels(np.ones((14, 14), np.float32), (400, 200), 1.0, (0.05, 0.1, 0.95, 0.8))
    rows, columns = np.nonzero(levels)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 159, 20, 379)


@pytest.mark.parametrize(
    "area",
    [(-0.1, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.1), (0.5, 0.0, 0.5, 1.0), (0.0, float("nan"), 1.0, 1.0)],
)
def test_impossible_area_is_a_programming_error(area: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="area"):
        heatmap.heat_levels(spot(), (100, 100), 1.0, area)


def test_even_a_tiny_picture_has_room_for_its_map() -> None:
    assert heatmap.heat_levels(spot(), (3, 2), 1.0, (0.9, 0.9, 0.95, 0.95)).shape == (2, 3)


def test_every_picture_honours_the_area() -> None:
    film, full, area = films.chest_like(), np.ones((14, 14), np.float32), (0.1, 0.1, 0.9, 0.9)
    covered = opened(heatmap.heat_rgba(full, (360, 300), style(area=area)))[..., 3]
    assert (covered[15, 180], covered[150, 18], covered[150, 180]) == (0, 0, 255)
    overlaid = opened(heatmap.overlay(film, full, style(area=area)))
    assert np.array_equal(overlaid[:29], films.rgb(film)[:29])
    assert colourfulness(overlaid[31:269, 40:320]) > 20
    heat = opened(heatmap.heat_picture(full, (360, 300), style(area=area)))
    assert not np.array_equal(heat[15, 180], heat[150, 180])
    row = opened(heatmap.side_by_side(film, full, style(area=area)))
    assert np.array_equal(row[:29, 740:], films.rgb(film)[:29])


def test_weak_map_looks_weak() -> None:
    film = films.chest_like()
    strong, weak = (
        colourfulness(opened(heatmap.overlay(film, spot(strength), style()))[:300]) for strength in (1.0, 0.1)
    )
    assert weak < strong / 5
    layer = opened(heatmap.heat_rgba(spot(0.1), (360, 300), style()))
    assert layer[..., 3].max() < 60


def test_map_above_the_reference_keeps_its_shape() -> None:
    cam = spot(4.0)
    cam[2:4, 2:4] = 1.0
    levels = heatmap.heat_levels(cam, (140, 140), 1.0)
    assert levels.max() == 1
    assert levels[30, 30] < 0.4


def test_empty_map_leaves_the_film_untouched() -> None:
    film = films.chest_like()
    picture = opened(heatmap.overlay(film, np.zeros((14, 14), np.float32), style()))
    assert np.array_equal(picture[:300], films.rgb(film))


@pytest.mark.parametrize(
    ("maximum", "word"),
    [
        (2.0, "strong"),
        (0.75, "strong"),
        (0.5, "moderate"),
        (0.2, "weak"),
        (0.05, "hardly any"),
        (0, "hardly any"),
    ],
)
def test_strength_is_given_as_a_number_and_a_word(maximum: float, word: str) -> None:
    strength = heatmap.map_strength(spot(maximum), 1.0)
    assert strength.word == word
    assert strength.ratio == pytest.approx(maximum)
    assert f"{maximum:.0%}" in str(strength)


def test_alpha_zero_shows_the_film_and_one_the_colour() -> None:
    film = films.chest_like()
    clear = opened(heatmap.overlay(film, spot(), style(alpha=0)))
    assert np.array_equal(clear[:300], films.rgb(film))
    full = opened(heatmap.overlay(film, spot(), style(alpha=1, colour_map="hot")))
    assert tuple(full[205, 270]) == (255, 255, 255)


def test_colour_maps_differ_and_are_case_insensitive() -> None:
    pictures = {
        heatmap.heat_picture(spot(), (100, 100), style(colour_map=name)) for name in heatmap.COLOUR_MAPS
    }
    assert len(pictures) == len(heatmap.COLOUR_MAPS) == 8
    assert heatmap.check_colour_map(" jet ") == "JET"


def test_jet_runs_from_blue_to_red() -> None:
    picture = opened(heatmap.heat_picture(spot(), (420, 420), style(colour_map="JET")))
    cold, hot = picture[20, 20], picture[285, 315]
    assert cold[2] > cold[0]
    assert hot[0] > hot[2]


def test_pictures_are_shrunk_but_never_enlarged() -> None:
    assert opened(heatmap.overlay(films.chest_like(500, 1000), spot(), style(max_side=400))).shape[1] == 400
    assert opened(heatmap.overlay(films.chest_like(300, 400), spot(), style())).shape[1] == 400


def test_side_by_side_holds_film_map_and_overlay() -> None:
    film = films.chest_like()
    picture = opened(heatmap.side_by_side(film, spot(), style()))
    assert picture.shape[1] == 3 * 360 + 2 * 10
    assert np.array_equal(picture[:300, :360], films.rgb(film))
    assert colourfulness(picture[:300, 370:730]) > 50
    assert 1 < colourfulness(picture[:300, 740:]) < 50


DRAWINGS: list[Callable[[Pixels], bytes]] = [
    lambda film: heatmap.overlay(film, spot(), style()),
    lambda film: heatmap.side_by_side(film, spot(), style()),
    lambda film: heatmap.heat_picture(spot(), (film.shape[1], film.shape[0]), style()),
]


@pytest.mark.parametrize("draw", DRAWINGS)
@pytest.mark.parametrize(("height", "width"), [(300, 360), (200, 40), (64, 900)])
def test_caption_is_in_a_strip_below_the_film(
    draw: Callable[[Pixels], bytes], height: int, width: int
) -> None:
    strip = opened(draw(films.chest_like(height, width)))[height:]
    assert strip.shape[0] >= 50
    assert strip.shape[1] >= 360
    text_rows = (strip[35:, :, 0] > 200).any(axis=1)
    assert text_rows.sum() > 15
    assert not (strip[:, -1] > 100).any()


def test_caption_says_what_the_colours_mean_and_the_disclaimer(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    wrapped = heatmap._wrapped

    def noting(text: str, *rest: Any) -> list[str]:
        written.append(text)
        return wrapped(text, *rest)

    monkeypatch.setattr(heatmap, "_wrapped", noting)
    heatmap.overlay(films.chest_like(), spot(0.5), style())
    assert written == [
        "Regions that raised the score: map strength 50% of a typical strong map (moderate).",
        DISCLAIMER,
    ]
    assert DISCLAIMER == "Research and education only. Not for clinical use."


def test_film_itself_is_not_changed() -> None:
    film = films.chest_like()
    heatmap.side_by_side(film, spot(), style())
    assert np.array_equal(film, films.chest_like())


@pytest.mark.parametrize("name", ["", "RAINBOW!", None, 3, "../../etc"])
def test_unknown_colour_map_is_refused(name: object) -> None:
    with pytest.raises(HeatmapOptionInvalid) as caught:
        heatmap.check_colour_map(name)
    assert caught.value.code == "colour_map_unknown"
    assert "VIRIDIS" in caught.value.message


@pytest.mark.parametrize(
    "value", [-0.01, 1.01, "nan", "inf", float("nan"), None, True, "half", [0.5], 10**400]
)
def test_alpha_outside_its_range_is_refused(value: object) -> None:
    with pytest.raises(HeatmapOptionInvalid) as caught:
        heatmap.check_alpha(value)
    assert caught.value.code == "alpha_invalid"


@pytest.mark.parametrize("value", [63, 4097, 100.5, "wide", None, False, -1, "1e9"])
def test_side_outside_its_range_is_refused(value: object) -> None:
    with pytest.raises(HeatmapOptionInvalid) as caught:
        heatmap.check_side(value)
    assert caught.value.code == "side_invalid"


def test_options_are_accepted_as_text_from_a_query_string() -> None:
    assert heatmap.check_alpha("0.4") == 0.4
    assert heatmap.check_side("512") == 512


@pytest.mark.parametrize(
    ("cam", "reference"),
    [
        (np.full((2, 2), np.nan), 1.0),
        (np.full((2, 2), -1.0), 1.0),
        (np.zeros((0, 3)), 1.0),
        (np.zeros(3), 1.0),
        (np.ones((2, 2)), 0.0),
        (np.ones((2, 2)), float("inf")),
    ],
)
def test_an_invalid_map_is_a_programming_error(cam: Pixels, reference: float) -> None:
    with pytest.raises(ValueError, match=r"map|reference"):
        heatmap.heat_levels(cam, (10, 10), reference)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"colour_map": "RAINBOW!"}, "colour_map_unknown"),
        ({"alpha": 1.1}, "alpha_invalid"),
        ({"style": "dots"}, "style_unknown"),
        ({"max_side": 63}, "side_invalid"),
    ],
)
def test_a_style_outside_its_range_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(HeatmapOptionInvalid) as caught:
        style(**options)
    assert caught.value.code == code
