"""manage.py predict_image: analyse films from files, without server, worker or queue."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from numpy.typing import NDArray
from tqdm import tqdm

from core.errors import Refused
from core.management.base import FriendlyCommand
from diagnosis.management.versions import chosen_artifact
from diagnosis.templatetags.formatting import percent
from pneumoml.cards.artifact import Artifact, ArtifactRefused
from pneumoml.decoding.images import Film, ImageLimits, ImageRefused
from pneumoml.decoding.sandbox import DecoderUnavailable, decode_isolated
from pneumoml.explain import heatmap, reliability
from pneumoml.explain.gradcam import LayerUnknown
from pneumoml.explain.heatmap import HeatmapOptionInvalid, MapStyle
from pneumoml.imaging.preprocess import PreprocessRefused
from pneumoml.scope import gate

if TYPE_CHECKING:
    from pneumoml.network.predictor import Predictor


@dataclass(frozen=True)
class PictureOptions:
    """The folder of the pictures (None: no pictures) and how they are drawn."""

    folder: Path | None
    colour_map: str
    alpha: float


class FileRefused(Refused):
    """The file is missing or cannot be opened."""


class Command(FriendlyCommand):
    """Analyse each file; exit code 1 when one of them could not be analysed."""

    help = (
        "Read chest films (JPEG, PNG or DICOM) with the active model, or with the newest shipped one where "
        "none is active, and print the diagnosis, its calibrated confidence and the probability of "
        "pneumonia. With --output, also write for each film a heat map, an overlay and a side-by-side "
        "picture of the regions that raised the score. Nothing is stored in the database. "
        "Exit code 0: every film was read. 1: at least one was not."
    )
    examples = (
        "  manage.py predict_image samples/film-01.jpeg\n"
        "  manage.py predict_image samples/*.jpeg --output pictures/\n"
        "  manage.py predict_image film.png --colour-map VIRIDIS --alpha 0.6 --output pictures/\n"
        "  manage.py predict_image film.png --json\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="A film: JPEG, PNG or DICOM.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        parser.add_argument("--output", type=Path, metavar="DIR", help="Write PNG pictures into this folder.")
        parser.add_argument("--model", metavar="VERSION", help="Another version found in MODELS_DIR.")
        parser.add_argument(
            "--layer", default=settings.GRADCAM_LAYER, help="The layer whose map is drawn (%(default)s)."
        )
        parser.add_argument(
            "--colour-map",
            default=settings.GRADCAM_COLOUR_MAP,
            help=f"{', '.join(heatmap.COLOUR_MAPS)} (%(default)s).",
        )
        parser.add_argument(
            "--alpha",
            default=settings.GRADCAM_ALPHA,
            help="Opacity of the heat in the overlay, 0 to 1 (%(default)s).",
        )

    def run(self, **options: Any) -> None:
        """Check the options first, load the network once, then analyse film after film."""
        pictures = _picture_options(options)
        predictor = _load(chosen_artifact(options["model"]), options["layer"])
        names = _picture_names(options["files"])
        films = []
        for path in self._with_progress(options["files"]):
            answer = _analyse(path, predictor, pictures, names[path])
            films.append(answer)
            if not options["json"]:
                self.say(_sentences(answer))
        if options["json"]:
            self.say_json({"model_version": predictor.card.version, "films": films})
        else:
            self.say(f"Model {predictor.card.version}. {settings.DISCLAIMER}")
        if any("error" in film for film in films):
            raise SystemExit(1)

    def _with_progress(self, files: list[Path]) -> Iterator[Path]:
        """Show a bar on a terminal when there are several."""
        unwanted = None if len(files) > 1 else True  # None: only where stderr is no terminal
        yield from tqdm(files, desc="Reading films", unit="film", disable=unwanted)


def _picture_options(options: dict[str, Any]) -> PictureOptions:
    try:
        pictures = PictureOptions(
            options["output"],
            heatmap.check_colour_map(options["colour_map"]),
            heatmap.check_alpha(options["alpha"]),
        )
    except HeatmapOptionInvalid as invalid:
        raise CommandError(invalid.message) from invalid
    if pictures.folder is not None:
        try:
            pictures.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"The folder {pictures.folder} cannot be made: {error.strerror}.") from error
    return pictures


def _load(artifact: Artifact, layer: str) -> "Predictor":
    from pneumoml.network.predictor import Predictor

    try:
        return Predictor.load(artifact, layer=layer)
    except (ArtifactRefused, LayerUnknown) as refused:
        raise CommandError(refused.message) from refused


def _picture_names(paths: list[Path]) -> dict[Path, str]:
    """Give each film a unique stem for its pictures, of plain characters only."""
    names: dict[Path, str] = {}
    for path in dict.fromkeys(paths):
        stem = re.sub(r"[^\w.-]+", "_", path.stem).strip(".") or "film"
        name, number = stem, 2
        while name in names.values():
            name, number = f"{stem}-{number}", number + 1
        names[path] = name
    return names


def _analyse(path: Path, predictor: "Predictor", pictures: PictureOptions, name: str) -> dict[str, Any]:
    """Analyse one file; a refusal becomes the answer's "error" and does not stop the others."""
    answer: dict[str, Any] = {"file": str(path)}
    try:
        film = _film(path)
        pixels = film.pixels
        result = predictor.predict(pixels, colour_fraction=film.colour_fraction)
    except (FileRefused, ImageRefused, DecoderUnavailable, PreprocessRefused) as refused:
        return {**answer, "error": {"code": refused.code, "message": refused.message}}
    point = predictor.card.operating_point
    probability = result.calibrated_probability
    positive = point.is_positive(probability)
    answer |= {
        "diagnosis": "PNEUMONIA" if positive else "NORMAL",
        "confidence": probability if positive else 1 - probability,
        "raw_score": result.probability,
        "calibrated_probability": probability,
        "threshold": point.threshold,
        "borderline": point.is_borderline(probability),
        "layer": result.layer,
        "scope_flags": None if result.scope_flags is None else list(result.scope_flags),
        "map_flags": None if result.map_flags is None else list(result.map_flags),
    }
    style = MapStyle(
        reference=predictor.card.cam_reference or result.cam_strength or 1.0,
        area=result.cam_area,
        colour_map=pictures.colour_map,
        alpha=pictures.alpha,
    )
    return {**answer, "pictures": _draw(pixels, result.cam, style, pictures.folder, name)}


def _film(path: Path) -> Film:
    if path.is_dir():
        raise FileRefused("is_a_folder", "This is a folder. Name the films in it, for example with *.jpeg")
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileRefused("file_missing", "There is no such file.") from error
    except OSError as error:
        raise FileRefused("file_unreadable", f"The file cannot be read: {error.strerror}.") from error
    return decode_isolated(data, limits=ImageLimits(max_bytes=settings.MAX_UPLOAD_BYTES))


def _draw(
    pixels: NDArray[np.uint8], cam: NDArray[np.float32], style: MapStyle, folder: Path | None, name: str
) -> dict[str, str]:
    """Write the three pictures, the map laid where the network looked; return their paths by kind."""
    if folder is None:
        return {}
    pictures = {
        "heatmap": heatmap.heat_picture(cam, (pixels.shape[1], pixels.shape[0]), style),
        "overlay": heatmap.overlay(pixels, cam, style),
        "side-by-side": heatmap.side_by_side(pixels, cam, style),
    }
    paths = {kind: folder / f"{name}-{kind}.png" for kind in pictures}
    for kind, path in paths.items():
        try:
            path.write_bytes(pictures[kind])
        except OSError as error:
            raise CommandError(f"The picture {path} cannot be written: {error.strerror}.") from error
    return {kind: str(path) for kind, path in paths.items()}


def _sentences(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['file']}: not read. {answer['error']['message']}"
    lines = [
        f"{answer['file']}: {answer['diagnosis']}, confidence {percent(answer['confidence'], 1)} "
        f"(probability of pneumonia {percent(answer['calibrated_probability'], 1)}, "
        f"operating point {answer['threshold']:.1%}{', borderline' if answer['borderline'] else ''})"
    ]
    lines += [f"  scope: {gate.SENTENCES[code]}" for code in answer["scope_flags"] or []]
    lines += [f"  unreliable map: {reliability.SENTENCES[code]}" for code in answer["map_flags"] or []]
    lines += [f"  {kind}: {path}" for kind, path in answer["pictures"].items()]
    return "\n".join(lines)
