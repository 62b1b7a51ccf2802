"""Recipes: what a catalogue's rows hold, as data. One YAML file each."""

from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.reader import (
    list_recipes,
    load_recipe,
    recipe_faults,
    recipe_from_plain,
    recipe_warnings,
)
from deepbench_torch.recipes.recipe import LARGEST_SIDE, Recipe
from deepbench_torch.recipes.series import SeriesRecipe

__all__ = [
    "LARGEST_SIDE",
    "AbstractRecipe",
    "Content",
    "Recipe",
    "SeriesRecipe",
    "list_recipes",
    "load_recipe",
    "recipe_faults",
    "recipe_from_plain",
    "recipe_warnings",
]
