"""manage.py train_model: train, evaluate and write a model version."""

from argparse import BooleanOptionalAction
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.management.base import FriendlyCommand
from core.management.progress_bars import Bars
from pneumoml.training.dataset import DatasetRefused, LabelledFilm, read_split
from pneumoml.training.recipe import OPTIMISERS, SCHEDULES, Recipe, RecipeRefused, load_recipe

_CHOICES = {"optimiser": OPTIMISERS, "schedule": SCHEDULES}
# Tables of their own in a recipe file; too many values for a command line.
_IN_FILES_ONLY = ("augmentation", "preprocessing", "sides", "dropouts")


class Command(FriendlyCommand):
    """Train on the films whose split is "train"; resumable."""

    help = (
        "Train VGG16 with its head on DIR/split.csv (see download_dataset) and write a model version: "
        "weights, card and pictures. The frozen blocks run once over each augmented pass and are cached; "
        "block 5 (or more blocks, as the recipe says) and the head are trained over the cache. A run that "
        "was interrupted goes on where it stopped. Threshold and calibration come from validation films and "
        "changed copies of them (shift tests). The recipe “plain” is ordinary fine-tuning; “robust” is that "
        "of the shipped model. Every value of a recipe is an option or stands in a TOML file."
    )
    examples = (
        "  manage.py train_model --data chest_xray --name mine-1\n"
        "  manage.py train_model --data chest_xray --name mine-2 --recipe robust --base-weights vgg16.h5\n"
        "  manage.py train_model --data chest_xray --name mine-3 --recipe my.toml --epochs 5 --seed 7\n"
        "  manage.py train_model --data chest_xray --name mine-2 --recipe robust --cache-only\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; those of the recipe come from its fields."""
        parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Folder with split.csv.")
        parser.add_argument("--name", default="local-1", help="Name of the new version (%(default)s).")
        parser.add_argument("--recipe", default="plain", help="plain, robust or a TOML file (%(default)s).")
        parser.add_argument(
            "--base-weights",
            type=Path,
            metavar="FILE",
            help="VGG16 without top, .weights.h5; without it Keras's ImageNet weights are downloaded once.",
        )
        parser.add_argument(
            "--run-dir", type=Path, metavar="DIR", help="Cache, checkpoint and log (var/training/RECIPE)."
        )
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="Where the version goes (MODELS_DIR/NAME)."
        )
        parser.add_argument("--note", default="", help="A sentence for the card on how it was trained.")
        parser.add_argument("--cache-only", action="store_true", help="Make the cached passes and stop.")
        _add_recipe_options(parser)

    def run(self, **options: Any) -> None:
        """Read recipe and films first; then train, evaluate and write."""
        from pneumoml.network.vgg16 import BaseWeightsRefused

        try:
            recipe = _recipe(options)
            films = read_split(options["data"])
            output = options["output"] or Path(settings.MODELS_DIR) / options["name"]
            if (output / "card.json").exists():
                raise CommandError(f"{output} already holds a version. Choose another --name or --output.")
            run_dir = (
                options["run_dir"] or settings.BASE_DIR / "var" / "training" / Path(options["recipe"]).stem
            )
            self._train(films, recipe, run_dir, output, options)
        except (RecipeRefused, DatasetRefused, BaseWeightsRefused) as refused:
            raise CommandError(refused.message) from refused
        except OSError as error:
            raise CommandError(f"Training stopped: {error.strerror}. Run it again to go on.") from error

    def _train(
        self, films: list[LabelledFilm], recipe: Recipe, run_dir: Path, output: Path, options: dict[str, Any]
    ) -> None:
        from pneumoml.evaluation.release import Release, judge, write_version
        from pneumoml.training.train import Trunk, cache_passes, train

        bars = Bars()
        if options["cache_only"]:
            training = [film for film in films if film.split == "train"]
            trunk = Trunk(options["base_weights"], recipe.trained_blocks)
            cache_passes(run_dir, training, recipe, trunk, bars)
            self.say(f"The passes are cached in {run_dir}.")
            return
        trained = train(run_dir, films, recipe, options["base_weights"], bars)
        judged = judge(run_dir, trained, films, recipe, bars)
        bars.close()
        release = Release(
            version=options["name"],
            command=_command(options),
            base=f"{_base_name(options)}, sha256 of the arrays {trained.trunk.digest}",
            note=options["note"],
        )
        artifact = write_version(
            output, run=run_dir, trained=trained, judged=judged, films=films, recipe=recipe, release=release
        )
        for name, row in judged.table().items():
            self.say(
                f"{name:15} n {row['n']:4}  AUC {row['auc']:.4f}  sensitivity {row['sensitivity']:.3f}  "
                f"specificity {row['specificity']:.3f}  ECE {row['ece']:.3f}"
            )
        self.say(f"Version {artifact.card.version} is in {output}. Register it with register_model.")
        self.say(settings.DISCLAIMER)


def _add_recipe_options(parser: CommandParser) -> None:
    defaults = Recipe()
    group = parser.add_argument_group("values of the recipe; those given here win")
    for entry in fields(Recipe):
        if entry.name in _IN_FILES_ONLY:
            continue
        default, option = getattr(defaults, entry.name), f"--{entry.name.replace('_', '-')}"
        if isinstance(default, bool):
            group.add_argument(option, action=BooleanOptionalAction, default=None)
        else:
            choices = _CHOICES.get(entry.name)
            group.add_argument(option, type=type(default), choices=choices, help=f"plain: {default}")


def _recipe(options: dict[str, Any]) -> Recipe:
    given = {
        entry.name: options[entry.name]
        for entry in fields(Recipe)
        if entry.name not in _IN_FILES_ONLY and options.get(entry.name) is not None
    }
    return load_recipe(options["recipe"]).with_values(given)


def _base_name(options: dict[str, Any]) -> str:
    path = options["base_weights"]
    return path.name if path else "Keras's ImageNet weights"


def _command(options: dict[str, Any]) -> str:
    """Return the command that reproduces this version, with the last name of folders only."""
    words = ["manage.py train_model", f"--data {options['data'].name}", f"--name {options['name']}"]
    words.append(f"--recipe {options['recipe']}")
    if options["base_weights"]:
        words.append(f"--base-weights {options['base_weights'].name}")
    for entry in fields(Recipe):
        value = options.get(entry.name)
        if entry.name in _IN_FILES_ONLY or value is None:
            continue
        option = entry.name.replace("_", "-")
        words.append(
            f"--{'' if value else 'no-'}{option}" if isinstance(value, bool) else f"--{option} {value}"
        )
    return " ".join(words)
