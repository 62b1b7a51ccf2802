"""Recipes: what a catalogue's images hold, as data. One YAML file each."""

from deepbench_torch.recipes.reader import list_recipes, load_recipe
from deepbench_torch.recipes.recipe import LARGEST_SIDE, Recipe

__all__ = ["LARGEST_SIDE", "Recipe", "list_recipes", "load_recipe"]
