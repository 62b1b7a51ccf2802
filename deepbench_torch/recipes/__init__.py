"""Recipes: definitions of a catalogue's rows, in YAML files or derived from `OBJECTS`."""

from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.image_fields import LARGEST_SIDE
from deepbench_torch.recipes.reader import (
    list_recipes,
    load_recipe,
    recipe_faults,
    recipe_from_plain,
    recipe_warnings,
)
from deepbench_torch.recipes.recipe import Recipe
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
