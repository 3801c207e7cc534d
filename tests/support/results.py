"""A plausible result of the network, for tests of what happens around it."""

import numpy as np

from pneumoml.network.predictor import FilmResult, Timings


def film_result(
    calibrated_probability: float = 0.78,
    *,
    scope_flags: tuple[str, ...] | None = (),
    map_flags: tuple[str, ...] | None = (),
) -> FilmResult:
    """Return a result as Predictor.predict gives it, with a small map."""
    cam = np.linspace(0.0, 2.6, 14 * 14, dtype=np.float32).reshape(14, 14)
    return FilmResult(
        logit=1.5,
        probability=0.82,
        calibrated_probability=calibrated_probability,
        cam=cam,
        cam_area=(0.04, 0.04, 0.96, 0.96),
        cam_strength=float(cam.max()),
        layer="block5_conv3",
        timings=Timings(preprocess_ms=9.0, forward_ms=210.0),
        scope_flags=scope_flags,
        map_flags=map_flags,
    )
