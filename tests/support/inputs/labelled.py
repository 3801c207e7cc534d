"""A small folder of labelled chest-like films: the classes differ by a bright field in one lung."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.inputs import films


def make_folder(folder: Path, *, normal: int, pneumonia: int, side: int = 96) -> Path:
    """Write `folder`/NORMAL and `folder`/PNEUMONIA, named as Kermany et al. name theirs; return `folder`."""
    for name in ("NORMAL", "PNEUMONIA"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(normal):
        pixels = films.chest_like(side, side, seed=number)
        (folder / "NORMAL" / f"IM-{number:04}-0001.png").write_bytes(films.png(pixels))
    for number in range(pneumonia):
        pixels = films.chest_like(side, side, seed=1000 + number)
        third = side // 3
        pixels[third : 2 * third, third // 2 : third + 5] = np.uint8(200)
        kind = "virus" if number % 2 else "bacteria"
        path = folder / "PNEUMONIA" / f"person{number // 2}_{kind}_{number}.png"
        path.write_bytes(films.png(pixels))
    return folder
