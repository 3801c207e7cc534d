"""Pictures of a result, drawn on demand from the normalised PNG and the stored Grad-CAM map."""

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from core.errors import Conflict, NotReady, Refused
from diagnosis.models import Prediction
from diagnosis.storage.display_copy import pixels_of
from pneumoml.explain import heatmap
from pneumoml.explain.heatmap import HeatmapOptionInvalid, MapStrength, MapStyle
from pneumoml.imaging.preprocess import Area

HEATMAP, OVERLAY, SIDE_BY_SIDE, HEAT_LAYER = "heatmap", "overlay", "side-by-side", "heat-layer"
PICTURE_KINDS = (HEATMAP, OVERLAY, SIDE_BY_SIDE, HEAT_LAYER)
LAYER_SIDE = 512  # pixels along the longer side; drawing one the size of a large film takes seconds


class PictureRefused(Refused):
    """The kind of picture is unknown, or an option is outside its range."""


class FilmMissing(NotReady):
    """The stored film cannot be opened."""


def render_picture(
    *,
    prediction: Prediction,
    kind: str,
    colour_map: object = None,
    alpha: object = None,
    style: object = None,
) -> bytes:
    """Draw one picture of a finished prediction; return it as PNG bytes.

    `kind` is one of PICTURE_KINDS; "heat-layer" is RGBA in the film's proportions, small (the map is coarse
    and the viewer scales it over the film), the others are RGB with a caption strip. `colour_map` (a name in
    `pneumoml.explain.heatmap.COLOUR_MAPS`) and `alpha` (0 to 1, a number or its text) fall back to the
    settings, `style` ("heat" or "contour") to "heat", where they are None or empty. The heat layer in the
    style "contour" is the exception: SVG, so that its lines stay sharp at every magnification.

    Raises PictureRefused (400), Conflict where there is no result (409), FilmMissing (503).
    """
    if kind not in PICTURE_KINDS:
        message = _("There is no such picture. Choose one of %(kinds)s.")
        raise PictureRefused("picture_unknown", message % {"kinds": ", ".join(PICTURE_KINDS)})
    map_style = _style(prediction, colour_map, alpha, style)
    cam = map_of(prediction)
    if kind in (HEATMAP, HEAT_LAYER):
        return _heat(prediction, kind, cam, map_style)
    draw = heatmap.overlay if kind == OVERLAY else heatmap.side_by_side
    return draw(_film(prediction), cam, map_style)


def _heat(prediction: Prediction, kind: str, cam: NDArray[np.float32], style: MapStyle) -> bytes:
    width, height = prediction.study.width, prediction.study.height
    if kind == HEATMAP:
        return heatmap.heat_picture(cam, (width, height), style)
    factor = LAYER_SIDE / max(width, height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    draw = heatmap.contour_layer if style.style == heatmap.CONTOUR else heatmap.heat_rgba
    return draw(cam, size, style)


def map_of(prediction: Prediction) -> NDArray[np.float32]:
    """Return the stored Grad-CAM map, float32 (h, w), non-negative; raises Conflict where there is none."""
    if prediction.status != Prediction.Status.SUCCEEDED or prediction.cam is None:
        raise Conflict("no_result", _("The AI has no result for this film, so there is no heat map to draw."))
    return np.asarray(prediction.cam, dtype=np.float32)


def strength_of(prediction: Prediction) -> MapStrength:
    """Compare the map's strength with the version's reference; raises Conflict where there is no map."""
    return heatmap.map_strength(map_of(prediction), reference_strength(prediction))


def reference_strength(prediction: Prediction) -> float:
    """Return the strength of a typical strong map of this model version, from its card.

    A card without one gives the map's own maximum: the picture is then relative only.
    """
    return measured_reference(prediction) or prediction.cam_strength or 1.0


def measured_reference(prediction: Prediction) -> float | None:
    """Return the reference strength that the card holds (> 0); None where none was measured."""
    card = prediction.model_version.typed_card
    return card.cam_reference if card else None


def area_of(prediction: Prediction) -> Area:
    """Return the part of the film that the map covers.

    Results from before areas were kept lie inside the card's crop.
    """
    if prediction.cam_area:
        left, top, right, bottom = prediction.cam_area
        return (left, top, right, bottom)
    card = prediction.model_version.typed_card
    edge = float(card.preprocessing.get("crop", 0.0)) if card else 0.0
    return (edge, edge, 1 - edge, 1 - edge)


def _style(prediction: Prediction, colour_map: object, alpha: object, style: object) -> MapStyle:
    try:
        return MapStyle(
            reference=reference_strength(prediction),
            area=area_of(prediction),
            colour_map=heatmap.check_colour_map(colour_map or settings.GRADCAM_COLOUR_MAP),
            alpha=heatmap.check_alpha(settings.GRADCAM_ALPHA if alpha in (None, "") else alpha),
            style=heatmap.check_style(style or heatmap.HEAT),
        )
    except HeatmapOptionInvalid as invalid:
        raise PictureRefused(invalid.code, invalid.message) from invalid


def _film(prediction: Prediction) -> NDArray[np.uint8]:
    try:
        return pixels_of(prediction.study)
    except OSError as error:
        message = _("The stored film could not be opened. Tell an administrator.")
        raise FilmMissing("film_missing", message) from error
