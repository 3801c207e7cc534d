"""Pictures of a result: options, reference strength, crop, and what happens without a result or a film."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import Conflict
from core.http_status import status_of
from diagnosis.models import ModelVersion, Prediction, Study
from diagnosis.results.rendering import (
    HEAT_LAYER,
    LAYER_SIDE,
    OVERLAY,
    PICTURE_KINDS,
    FilmMissing,
    PictureRefused,
    render_picture,
    strength_of,
)
from tests.support.cards import stored_card


@pytest.fixture
def prediction(finished_study: Study) -> Prediction:
    return finished_study.predictions.get()


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def give_card(prediction: Prediction, **card: Any) -> Prediction:
    ModelVersion.objects.update(card=stored_card(**card))
    return Prediction.objects.get(pk=prediction.pk)


@pytest.mark.parametrize("kind", PICTURE_KINDS)
def test_every_kind_is_a_png(prediction: Prediction, kind: str) -> None:
    assert Image.open(io.BytesIO(render_picture(prediction=prediction, kind=kind))).format == "PNG"


def test_the_layer_has_the_films_proportions_and_is_clear_where_it_is_cold(prediction: Prediction) -> None:
    layer = pixels(render_picture(prediction=prediction, kind=HEAT_LAYER))
    assert layer.shape == (round(LAYER_SIDE * 300 / 360), LAYER_SIDE, 4)
    assert layer[0, 0, 3] == 0
    assert layer[-1, -1, 3] == 255


def test_without_wishes_the_settings_decide(prediction: Prediction, settings: Any) -> None:
    settings.GRADCAM_COLOUR_MAP, settings.GRADCAM_ALPHA = "VIRIDIS", 0.9
    by_settings = render_picture(prediction=prediction, kind=OVERLAY, colour_map="", alpha=None)
    settings.GRADCAM_COLOUR_MAP, settings.GRADCAM_ALPHA = "JET", 0.4
    assert by_settings == render_picture(
        prediction=prediction, kind=OVERLAY, colour_map="viridis", alpha="0.9"
    )
    assert by_settings != render_picture(prediction=prediction, kind=OVERLAY)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"kind": "portrait"}, "picture_unknown"),
        ({"kind": OVERLAY, "colour_map": "x"}, "colour_map_unknown"),
        ({"kind": OVERLAY, "alpha": "1.1"}, "alpha_invalid"),
        ({"kind": OVERLAY, "style": "dots"}, "style_unknown"),
        ({"kind": OVERLAY, "alpha": float("nan")}, "alpha_invalid"),
    ],
)
def test_impossible_wishes_are_refused_by_code(
    prediction: Prediction, wishes: dict[str, Any], code: str
) -> None:
    with pytest.raises(PictureRefused) as refused:
        render_picture(prediction=prediction, **wishes)
    assert (refused.value.code, status_of(refused.value)) == (code, 400)


@pytest.mark.parametrize("kind", [kind for kind in PICTURE_KINDS if kind != HEAT_LAYER])
def test_the_style_changes_every_picture_with_a_map(prediction: Prediction, kind: str) -> None:
    heat = render_picture(prediction=prediction, kind=kind, style="")
    assert heat == render_picture(prediction=prediction, kind=kind, style="HEAT")
    assert pixels(render_picture(prediction=prediction, kind=kind, style="contour")).shape[2] == 3
    assert heat != render_picture(prediction=prediction, kind=kind, style="contour")


def test_the_layer_of_contours_is_lines_of_the_films_proportions(prediction: Prediction) -> None:
    layer = render_picture(prediction=prediction, kind=HEAT_LAYER, style="contour").decode()
    assert f'viewBox="0 0 {LAYER_SIDE} {round(LAYER_SIDE * 300 / 360)}"' in layer
    assert layer.count("<path") == layer.count("data-level") > 0


def test_a_map_weak_against_its_reference_is_drawn_weak(prediction: Prediction) -> None:
    strong = pixels(render_picture(prediction=prediction, kind=HEAT_LAYER))
    weak = give_card(prediction, metrics={"cam_reference": 26.0})
    assert pixels(render_picture(prediction=weak, kind=HEAT_LAYER))[..., 3].max() < strong[..., 3].max() / 2
    assert strength_of(weak).ratio == pytest.approx(0.1)


def test_the_map_covers_only_what_the_network_saw(prediction: Prediction) -> None:
    Prediction.objects.filter(pk=prediction.pk).update(cam_area=[0.0, 0.0, 0.8, 1.0])
    prediction.refresh_from_db()
    layer = pixels(render_picture(prediction=prediction, kind=HEAT_LAYER))
    edge = round(0.2 * LAYER_SIDE) - 2
    assert layer[:, -edge:, 3].max() == 0
    assert layer[:, -2 * edge : -edge - 8, 3].max() > 0


def test_a_result_without_an_area_lies_inside_its_cards_crop(prediction: Prediction) -> None:
    cropped = give_card(prediction, preprocessing={"crop": 0.1})
    layer = pixels(render_picture(prediction=cropped, kind=HEAT_LAYER))
    edge = round(0.1 * LAYER_SIDE) - 2
    assert layer[:, -edge:, 3].max() == 0
    assert layer[:, -2 * edge : -edge - 8, 3].max() > 0


@pytest.mark.usefixtures("study")
def test_without_a_result_there_is_no_picture() -> None:
    with pytest.raises(Conflict) as refused:
        render_picture(prediction=Prediction.objects.get(), kind=OVERLAY)
    assert refused.value.code == "no_result"


def test_without_the_film_the_overlay_says_so(prediction: Prediction) -> None:
    prediction.study.display.storage.delete(str(prediction.study.display.name))
    with pytest.raises(FilmMissing):
        render_picture(prediction=prediction, kind=OVERLAY)
