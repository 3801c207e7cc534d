"""Recipes: the plain defaults, the shipped file, and refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pneumoml.training.recipe import RECIPES_DIR, Recipe, RecipeRefused, load_recipe


def test_plain_recipe_is_ordinary_fine_tuning() -> None:
    plain = load_recipe("plain")
    assert (plain.optimiser, plain.learning_rate, plain.batch_size, plain.epochs) == ("adam", 1e-4, 32, 25)
    assert (plain.patience, plain.plateau_factor, plain.dropouts) == (5, 0.5, (0.5, 0.3, 0.2))
    assert not plain.balanced


def test_shipped_recipe_is_read_and_goes_into_the_card() -> None:
    robust = load_recipe("robust")
    assert robust.balanced
    assert len(robust.preprocessing.band_targets) == len(robust.preprocessing.band_sigmas) + 1
    again = Recipe().with_values(json.loads(json.dumps(robust.to_mapping())))
    assert again == robust


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES_DIR.glob("*.toml")))
def test_every_shipped_recipe_is_read(name: str) -> None:
    recipe = load_recipe(name)
    assert Recipe().with_values(json.loads(json.dumps(recipe.to_mapping()))) == recipe


def test_block_5_alone_is_trained_unless_a_recipe_says_more() -> None:
    assert (load_recipe("plain").trained_blocks, load_recipe("robust").trained_blocks) == (1, 1)
    assert load_recipe("deeper").trained_blocks == 2


def test_given_values_win() -> None:
    assert load_recipe("robust").with_values({"seed": 7, "epochs": 2}).seed == 7


@pytest.mark.parametrize(
    "text",
    [
        "unknown = 1",
        "epochs = 0",
        "sides = [100]",
        'optimiser = "sgd"',
        "trained_blocks = 5",
        "quiet = 0.5\nmixup = 0.2",
        "not toml",
        "[augmentation]\nwobble = 1",
        "[preprocessing]\nsize = 5",
    ],
)
def test_unusable_recipe_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RecipeRefused) as caught:
        load_recipe(str(path))
    assert caught.value.code == "recipe_invalid"


def test_missing_recipe_is_refused_in_words() -> None:
    with pytest.raises(RecipeRefused, match="no recipe"):
        load_recipe("nonesuch")
