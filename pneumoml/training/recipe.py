"""A training recipe: every value of a run, the plain fine-tuning table as defaults, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pneumoml.imaging.preprocess import PreprocessConfig
from pneumoml.training.augment import AugmentConfig

RECIPES_DIR = Path(__file__).resolve().parent.parent / "recipes"
OPTIMISERS = ("adam", "adamw")
SCHEDULES = ("plateau", "cosine")


class RecipeRefused(ValueError):  # noqa: N818 - the name says what happened
    """A recipe that cannot be used: `code` for programs, the message for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = "recipe_invalid"
        self.message = message


# The plain table of fine-tuning: rotation, shift, shear, zoom and flip only.
PLAIN_AUGMENTATION = AugmentConfig(rotation=15, shift=0.1, shear=8, zoom=(0.9, 1.1), flip=0.5)


@dataclass(frozen=True)
class Recipe:
    """Every value of a training run.

    `trained_blocks` is how many of the five blocks are trained, counted from the last; those before keep the
    base weights. `passes` augmented passes are cached and taken in turn, one an epoch; `sides` are the
    input sides of the passes, in turn. `balanced` passes hold as many films of either class. `schedule`
    "plateau" halves the rate after `plateau_patience` epochs without a better validation loss, "cosine"
    falls from `learning_rate` to 0. `mixup` is the alpha of the Beta distribution two films' features are
    mixed by (Zhang 2018; 0: none). `average` is the momentum of the running average of the weights (Polyak &
    Juditsky 1992; 0: none). `patience`: epochs without a better validation loss after which training stops
    (0: never). `quiet` weighs a penalty on the share of evidence that lies outside the thorax (see
    `fitting`; 0: none), which goes without `mixup` and `cut`.
    """

    seed: int = 42
    trained_blocks: int = 1
    passes: int = 25
    sides: tuple[int, ...] = (224,)
    balanced: bool = False
    epochs: int = 25
    batch_size: int = 32
    optimiser: str = "adam"
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: str = "plateau"
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    patience: int = 5
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cut: int = 0
    average: float = 0.0
    quiet: float = 0.0
    dropouts: tuple[float, float, float] = (0.5, 0.3, 0.2)
    augmentation: AugmentConfig = field(default=PLAIN_AUGMENTATION)
    preprocessing: PreprocessConfig = field(default_factory=PreprocessConfig)

    def __post_init__(self) -> None:
        """Raise `RecipeRefused` (recipe_invalid) for values out of range."""
        positive = (self.passes, self.epochs, self.batch_size, self.learning_rate)
        if min(positive) <= 0 or not self.sides:
            raise RecipeRefused("passes, epochs, batch_size and learning_rate must be above 0.")
        if any(side % 16 or not 32 <= side <= self.preprocessing.size for side in self.sides):
            raise RecipeRefused("sides must be multiples of 16, at least 32 and at most the input size.")
        if not 1 <= self.trained_blocks <= 4:
            raise RecipeRefused("trained_blocks must be 1 to 4.")
        if self.quiet and (self.mixup or self.cut):
            raise RecipeRefused("quiet goes without mixup and cut: films that are mixed have no one thorax.")
        if self.optimiser not in OPTIMISERS or self.schedule not in SCHEDULES:
            raise RecipeRefused("optimiser must be adam or adamw, schedule plateau or cosine.")

    def to_mapping(self) -> dict[str, Any]:
        """Plain values for the card."""
        values = asdict(self)
        return {
            **{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
            "augmentation": self.augmentation.to_mapping(),
            "preprocessing": self.preprocessing.to_card(),
        }

    def with_values(self, values: Mapping[str, Any]) -> Recipe:
        """Replace some values. Raises `RecipeRefused` for one that does not exist or is of the wrong kind."""
        known = {entry.name for entry in fields(self)}
        if unknown := set(values) - known:
            raise RecipeRefused(f"A recipe has no value “{min(unknown)}”.")
        changes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        try:
            if "augmentation" in values:
                changes["augmentation"] = AugmentConfig.from_mapping(values["augmentation"])
            if "preprocessing" in values:
                changes["preprocessing"] = PreprocessConfig.from_card(values["preprocessing"])
            return replace(self, **changes)
        except (TypeError, ValueError) as error:
            if isinstance(error, RecipeRefused):
                raise
            raise RecipeRefused(f"The recipe is not usable: {error}") from error


def load_recipe(name: str) -> Recipe:
    """Read a recipe shipped under that name, or a TOML file; "plain" is the defaults.

    Raises `RecipeRefused` (recipe_invalid).
    """
    if name == "plain":
        return Recipe()
    path = RECIPES_DIR / f"{name}.toml" if "/" not in name and not name.endswith(".toml") else Path(name)
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecipeRefused(f"There is no recipe {name}.") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeRefused(f"{path.name} is not readable TOML: {error}") from error
    return Recipe().with_values(values)
