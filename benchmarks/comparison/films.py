"""Full-size films to send: the samples, each changed by a few pixels so that none was sent before."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = sorted((ROOT / "samples").glob("*.jpeg"))


def films() -> Iterator[bytes]:
    """Yield JPEG files without end, the samples in rotation, at about the samples' own size in bytes."""
    pictures = [np.asarray(Image.open(path).convert("L")) for path in SAMPLES]
    random = np.random.default_rng(time.time_ns())
    for pixels in itertools.cycle(pictures):
        changed = pixels.copy()
        changed[:8, :8] = random.integers(0, 60, (8, 8))
        buffer = io.BytesIO()
        Image.fromarray(changed).save(buffer, "JPEG", quality=75)
        yield buffer.getvalue()
