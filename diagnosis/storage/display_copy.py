"""Reads a stored film's pixels from its display copy."""

import numpy as np
from numpy.typing import NDArray

from diagnosis.models import Study
from pneumoml.decoding.images import decode_own_png


def pixels_of(study: Study) -> NDArray[np.uint8]:
    """Return the film, uint8 (H, W). Raises OSError."""
    with study.display.open("rb") as file:
        return decode_own_png(file.read())
