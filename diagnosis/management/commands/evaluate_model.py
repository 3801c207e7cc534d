"""manage.py evaluate_model: measure a model version on a folder of labelled films."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.management.base import FriendlyCommand
from core.management.progress_bars import film_bar
from diagnosis.management.versions import chosen_artifact
from pneumoml.cards.artifact import ArtifactRefused
from pneumoml.evaluation.charts import draw_evaluation
from pneumoml.training.dataset import DatasetRefused, scan_folder

_SHOWN = ("auc", "auc_pr", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "precision", "npv")
_ALSO_SHOWN = ("f1", "brier", "ece")


class Command(FriendlyCommand):
    """Measure at the card's operating point; nothing is stored in the database."""

    help = (
        "Read every film in DIR/NORMAL and DIR/PNEUMONIA with a model version and print its metrics, each "
        "with a 95 % interval: Wilson's for proportions, a bootstrap over patients for the others. The "
        "threshold is the one on the model's card; it is never chosen on the films being measured. With "
        "--output, also draw confusion matrix, ROC, precision-recall, calibration and scores."
    )
    examples = (
        "  manage.py evaluate_model --data chest_xray/test\n"
        "  manage.py evaluate_model --data chest_xray/test --output evaluation/ --json\n"
        "  manage.py evaluate_model --data chest_xray/test --prevalence 0.1 --prevalence 0.02\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--data", type=Path, required=True, metavar="DIR", help="Folder with NORMAL/ and PNEUMONIA/."
        )
        parser.add_argument("--model", metavar="VERSION", help="A version in MODELS_DIR (the active one).")
        parser.add_argument("--output", type=Path, metavar="DIR", help="Write the pictures into this folder.")
        parser.add_argument(
            "--prevalence",
            type=float,
            action="append",
            metavar="SHARE",
            help="Predictive values at this share of pneumonia (0 to 1); may be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def run(self, **options: Any) -> None:
        """List the films first, then load the network and analyse film after film."""
        from pneumoml.evaluation.evaluate import PREVALENCES, evaluate

        prevalences = options["prevalence"] or PREVALENCES
        if not all(0 <= prevalence <= 1 for prevalence in prevalences):
            raise CommandError("A prevalence is a share between 0 and 1, for example 0.1.")
        try:
            films = scan_folder(options["data"])
            artifact = chosen_artifact(options["model"])
            found = evaluate(artifact, films, prevalences=prevalences, progress=film_bar())
        except (DatasetRefused, ArtifactRefused) as refused:
            raise CommandError(refused.message) from refused
        if options["output"] is not None:
            _draw(options["output"], found)
        answer = {"model_version": artifact.card.version, **found.metrics}
        if options["json"]:
            self.say_json(answer)
        else:
            self._print(answer)

    def _print(self, answer: dict[str, Any]) -> None:
        self.say(f"Model {answer['model_version']}, {answer['n']} films, threshold {answer['threshold']:.3f}")
        for name in (*_SHOWN, *_ALSO_SHOWN):
            low, high = (f"{end:.4f}" if end is not None else "–" for end in answer[f"{name}_ci"])
            self.say(f"  {name:18} {answer[name]:.4f}  (95 % interval {low} to {high})")
        counts = answer["confusion"]
        self.say(
            f"  confusion          TN {counts['tn']}  FP {counts['fp']}  FN {counts['fn']}  TP {counts['tp']}"
        )
        for subtype, row in answer["subtypes"].items():
            self.say(f"  sensitivity, {subtype}: {row['sensitivity']:.4f} of {row['n']}")
        for row in answer["predictive_values"]:
            self.say(f"  at {row['prevalence']:.1%} pneumonia: PPV {row['ppv']:.3f}, NPV {row['npv']:.3f}")
        self.say(settings.DISCLAIMER)


def _draw(folder: Path, found: Any) -> None:
    try:
        draw_evaluation(folder, found.labels, found.probabilities, found.metrics["threshold"])
    except OSError as error:
        raise CommandError(f"The pictures cannot be written to {folder}: {error.strerror}.") from error
