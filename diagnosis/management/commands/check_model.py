"""manage.py check_model: fit a version's out-of-distribution check, test its maps, write both to its card."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.management.base import FriendlyCommand
from core.management.progress_bars import Bars
from diagnosis.management.versions import chosen_artifact
from pneumoml.cards.artifact import Artifact, ArtifactRefused
from pneumoml.training.dataset import DatasetRefused, LabelledFilm, read_split

PARTS = ("scope", "explanations")


class Command(FriendlyCommand):
    """Measure a version on films with a known split; nothing is stored in the database."""

    help = (
        "Measure what a model version can judge, and whether its maps can be believed, and write both into "
        "its card.json. Scope: compare with training films, then count how many validation films, "
        "inverted or turned films and pictures that are no films are flagged; the reference goes into "
        "scope.npz beside the weights. Explanations: weight randomisation, deletion and insertion, small "
        "shifts, heat outside the thorax, agreement with HiResCAM, on validation films. Weights, threshold "
        "and calibration stay as they are, and the same films give the same figures. Run it before the "
        "version is registered: an installation keeps the card it registered."
    )
    examples = (
        "  manage.py check_model --data cxr --model vgg16-2026.11\n"
        "  manage.py check_model --data cxr --only explanations\n"
        "  manage.py check_model --data cxr --quick --json\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="Folder with the films and their split.csv.",
        )
        parser.add_argument("--model", metavar="VERSION", help="A version in MODELS_DIR (the active one).")
        parser.add_argument("--only", choices=PARTS, help="One of the two parts.")
        parser.add_argument("--seed", type=int, default=0, help="Which films are chosen (%(default)s).")
        parser.add_argument(
            "--quick",
            action="store_true",
            help="Few films, to try it out; writes nothing.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def run(self, **options: Any) -> None:
        """List the films first, then load the network."""
        try:
            films = read_split(options["data"])
            artifact = chosen_artifact(options["model"])
            if not options["quick"] and not os.access(artifact.folder, os.W_OK):
                raise CommandError(f"The folder {artifact.folder} cannot be written to.")
            parts = PARTS if options["only"] is None else (options["only"],)
            found = _measure(artifact, films, parts, quick=options["quick"], seed=options["seed"])
        except (DatasetRefused, ArtifactRefused) as refused:
            raise CommandError(refused.message) from refused
        except ValueError as error:
            raise CommandError(f"The films do not suffice: {error}.") from error
        answer = {"model_version": artifact.card.version, "written": not options["quick"], **found}
        if options["json"]:
            self.say_json(answer)
        else:
            self._print(answer)

    def _print(self, answer: dict[str, Any]) -> None:
        self.say(f"Model {answer['model_version']}")
        for name, row in answer.get("scope", {}).get("measured", {}).items():
            self.say(f"  flagged, {name}: {row['flagged']} of {row['n']}")
        for name, row in answer.get("explanation", {}).items():
            if isinstance(row, dict):
                self.say(f"  {name.replace('_', ' ')}: {row}")
        self.say("Written into card.json." if answer["written"] else "Nothing was written.")


def _measure(
    artifact: Artifact, films: list[LabelledFilm], parts: tuple[str, ...], *, quick: bool, seed: int
) -> dict[str, Any]:
    from pneumoml.evaluation import explanation_report, scope_fit

    found: dict[str, Any] = {}
    bars = Bars(unit="film")
    if "scope" in parts:
        sizes = scope_fit.Sizes(60, 30, 10, 2, 1) if quick else scope_fit.Sizes()
        entry, arrays = scope_fit.scope_entry(artifact, films, sizes, seed=seed, progress=bars)
        found["scope"] = entry
        if not quick:
            artifact = scope_fit.write_scope(artifact, entry, arrays)
    if "explanations" in parts:
        few = explanation_report.Sizes(3, 2, 1) if quick else explanation_report.Sizes()
        entry = explanation_report.report_card(artifact, films, few, seed, bars)
        found["explanation"] = entry
        if not quick:
            explanation_report.write_report_card(artifact, entry)
    bars.close()
    return found
