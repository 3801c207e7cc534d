"""The ladder of training steps, one added at a time: what each does to validation and shift tests.

    .venv/bin/python -m benchmarks.ladder --data chest_xray --run-dir DIR \
        --base-weights vgg16_notop.weights.h5

Every step is a whole small run: 1,000 class-balanced training films in two cached passes of 160-pixel
crops, six epochs, seed 42, then the same shift tests and the same choice of threshold as a real run. Small on
purpose: steps are to be compared with each other, not with the shipped version. One JSON line a step;
resumable. About an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.comparison.machine import machine_facts
from pneumoml.evaluation.release import judge
from pneumoml.imaging.preprocess import PreprocessConfig
from pneumoml.training.dataset import LabelledFilm, read_split
from pneumoml.training.features import balanced_pass
from pneumoml.training.progress import Report
from pneumoml.training.recipe import PLAIN_AUGMENTATION, Recipe, load_recipe
from pneumoml.training.train import train

EACH_CLASS, PASSES, EPOCHS = 500, 2, 6
CAMERA = (
    "gamma", "contrast", "brightness", "sharpness", "blur", "sharpen", "noise", "jpeg", "jpeg_share", "clahe",
    "bands",
)  # fmt: skip


def steps() -> Iterator[tuple[str, Recipe]]:
    """Name each step with its recipe; each keeps what the one before it had."""
    shipped = load_recipe("robust")
    recipe = replace(
        shipped,
        passes=PASSES,
        sides=(160,),
        epochs=EPOCHS,
        preprocessing=PreprocessConfig(crop=0.0, window=(0.0, 100.0)),
        augmentation=PLAIN_AUGMENTATION,
        label_smoothing=0.0,
        mixup=0.0,
        cut=0,
        average=0.0,
    )
    yield "plain", recipe
    recipe = replace(recipe, preprocessing=shipped.preprocessing)
    yield "+ preparation: frames trimmed, window, bands", recipe
    camera = {name: getattr(shipped.augmentation, name) for name in CAMERA}
    recipe = replace(recipe, augmentation=replace(PLAIN_AUGMENTATION, **camera))
    yield "+ other cameras in training", recipe
    recipe = replace(recipe, augmentation=shipped.augmentation)
    yield "+ other frames, sizes and hidden parts", recipe
    recipe = replace(recipe, label_smoothing=shipped.label_smoothing, mixup=shipped.mixup, cut=shipped.cut)
    yield "+ mix-up, smoothed labels, cuts", recipe
    yield "+ averaged weights", replace(recipe, average=shipped.average)


def some(films: list[LabelledFilm]) -> list[LabelledFilm]:
    """Keep 500 training films of either class, and all validation films."""
    training = balanced_pass([film for film in films if film.split == "train"], 0, 42)
    kept = [[film for film in training if film.label == label][:EACH_CLASS] for label in (0, 1)]
    return [*kept[0], *kept[1], *(film for film in films if film.split == "val")]


def run_all(films: list[LabelledFilm], base: Path, folder: Path, report: Report | None = None) -> None:
    """Run the steps that `folder`/ladder.jsonl does not hold yet, and print them all."""
    results = folder / "ladder.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    lines = results.read_text("utf-8").splitlines() if results.is_file() else []
    done = {json.loads(line)["rung"] for line in lines}
    for line in lines:
        print(line)
    for name, recipe in steps():
        if name in done:
            continue
        began = time.monotonic()
        # Steps that prepare films alike share a folder, and so the features of the validation films.
        run = folder / f"bands-{bool(recipe.preprocessing.band_targets)}-trim-{recipe.preprocessing.trim}"
        judged = judge(run, train(run, films, recipe, base, report), films, recipe, report)
        line = json.dumps(
            {
                "rung": name,
                "threshold": judged.choice.threshold,
                "temperature": judged.scaling.temperature,
                "seconds": round(time.monotonic() - began),
                "machine": machine_facts(),
                "sets": judged.table(),
            }
        )
        print(line, flush=True)
        with results.open("a", encoding="utf-8") as out:
            out.write(line + "\n")


def main() -> None:
    """Read the arguments and run every step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with split.csv")
    parser.add_argument("--base-weights", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True, help="cache and results; about 2 GB")
    options = parser.parse_args()
    run_all(some(read_split(options.data)), options.base_weights, options.run_dir)


if __name__ == "__main__":
    main()
