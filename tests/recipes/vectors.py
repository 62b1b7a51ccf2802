"""Vectors of rows that are not rendered, for the tests of vectors."""

from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.generate import sample_parameters
from deepbench_torch.recipes import AbstractRecipe, Recipe

RECIPES = db.list_recipes()


IMAGES = [name for name in RECIPES if db.load_recipe(name).content == "image"]


each_recipe = pytest.mark.parametrize("name", RECIPES)


each_image = pytest.mark.parametrize("name", IMAGES)


def encoded(recipe: AbstractRecipe, count: int = 200, *, seed: int = 3, slots: int = 99) -> Tensor:
    """Return the vectors of some rows, made without the rows; of their first slots alone."""
    scene, present, conditions = truth(recipe, count, seed=seed)
    if recipe.content == "series":
        return recipe.vector.encode(scene[recipe.owners[0]], present)
    scene = {
        kind: {name: values[:, :slots] for name, values in named.items()}
        for kind, named in scene.items()
    }
    there = {kind: values[:, :slots] for kind, values in present.items()}
    if slots == 1:
        there = {kind: torch.ones_like(values) for kind, values in there.items()}
    return recipe.vector.encode(scene, there, conditions=conditions)


def truth(recipe: AbstractRecipe, count: int, *, seed: int = 3) -> tuple[Any, Any, Any]:
    """Return the parameters, present slots and conditions of some rows by owner and name."""
    tables = sample_parameters(recipe, seed, torch.arange(count))
    found: dict[str, dict[str, Any]] = {"parameters": {}, "present": {}, "conditions": {}}
    for path, values in tables.items():
        part, owner, *name = path.split("/")
        if name:
            found[part].setdefault(owner, {})[name[0]] = values
        else:
            found[part][owner] = values
    return found["parameters"], found["present"], found["conditions"]


def of(kind: str, **priors: Any) -> Recipe:
    recipe = db.load_recipe(kind).replace(objects={kind: priors})
    assert isinstance(recipe, Recipe)
    return recipe
