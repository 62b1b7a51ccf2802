"""Recipes are immutable at every level: hashed, pickled, copied, and read once."""

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import deepbench_torch as db
from deepbench_torch.recipes import AbstractRecipe

SCENE = {"star": {"x": 0.3}}
CHANGES: dict[str, dict[str, Any]] = {
    "astro": {},
    "lensing": {},
    "nbody": {"options": {"dimensions": 3}, "noise": {"parameters": {"mass": 0.1}}},
    "sky": {"simplify": {"kinds": ["star"], "values": {"star": {"x": 0.5}}}, "ladder": ["noise"]},
    "star": {"count": None, "scene": [SCENE], "label": "present"},
}
each_recipe = pytest.mark.parametrize("name", list(CHANGES))


def recipe_of(name: str) -> AbstractRecipe:
    recipe: AbstractRecipe = db.load_recipe(name).replace(**CHANGES[name])
    return recipe


def parts(value: object) -> Iterator[object]:
    """Yield a value and all nested values."""
    yield value
    if isinstance(value, BaseModel):
        inside: list[object] = [part for _, part in value]
    elif isinstance(value, dict):
        inside = list(value.values())
    else:
        inside = list(value) if isinstance(value, list | tuple) else []
    for part in inside:
        yield from parts(part)


MUTATIONS: list[Callable[[Any], object]] = [
    lambda held: held.__setitem__("star", {}),
    lambda held: held.__delitem__(next(iter(held), "star")),
    lambda held: held.update(star={}),
    lambda held: held.setdefault("star", {}),
    lambda held: held.pop("star", None),
    lambda held: held.popitem(),
    lambda held: held.clear(),
    lambda held: held.__ior__({"star": {}}),
]


@each_recipe
def test_nothing_within_a_recipe_changes(name: str) -> None:
    recipe = recipe_of(name)
    before = recipe.to_yaml()
    found = list(parts(recipe))
    assert not any(isinstance(part, list) for part in found)
    for held in (part for part in found if isinstance(part, dict)):
        for mutate in MUTATIONS:
            with pytest.raises(TypeError, match=r"expected no change .*recipe\.replace"):
                mutate(held)
    assert recipe.to_yaml() == before


@each_recipe
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda recipe: pickle.loads(pickle.dumps(recipe)),  # noqa: S301
        lambda recipe: type(recipe).model_validate(recipe.to_plain()),
        lambda recipe: recipe.replace(),
        lambda recipe: recipe.model_copy(),
        lambda recipe: recipe.model_copy(deep=True, update={"size": recipe.size}),
    ],
)
def test_a_copy_is_equal_and_has_the_same_hash(name: str, again: Callable[[Any], Any]) -> None:
    recipe = recipe_of(name)
    other = again(recipe)
    assert other == recipe
    assert hash(other) == hash(recipe)
    assert {recipe: 1}[other] == 1
    assert (other.digest, other.to_yaml()) == (recipe.digest, recipe.to_yaml())
    assert other.replace(name="other") != recipe
    for held in (part for part in parts(other) if isinstance(part, dict)):
        with pytest.raises(TypeError):
            held["star"] = {}


def test_the_source_values_of_a_recipe_stay_mutable() -> None:
    plain = db.load_recipe("astro").to_plain()
    recipe = db.Recipe.model_validate(plain)
    plain["objects"].clear()
    assert list(recipe.objects) == ["star", "galaxy", "spiral"]


@pytest.mark.parametrize("name", db.list_recipes())
def test_packaged_recipes_are_read_once(name: str) -> None:
    assert db.load_recipe(name) is db.load_recipe(name)


def test_files_are_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: star\nsize: 3\n")
    assert db.load_recipe(path).size == 3
    path.write_text("extends: star\nsize: 4\n")
    assert db.load_recipe(path).size == 4


def test_a_copy_with_other_values_is_checked() -> None:
    recipe = db.load_recipe("sky")
    copied = recipe.model_copy(update={"objects": {"star": {"x": 0.5}}})
    assert copied.classes == ["star"]
    assert hash(copied) != hash(recipe)
    with pytest.raises(ValueError, match=r"^recipe sky is not valid: label: expected class, "):
        recipe.model_copy(update={"label": 3})


def test_the_hash_is_kept() -> None:
    """Recipes are keys of caches, so a second hash must not visit all priors."""
    objects = db.load_recipe("sky").objects
    assert hash(objects) == hash(objects) == hash(dict_again(objects))
    with pytest.raises(TypeError):
        objects["star"] = {}


def dict_again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301


@pytest.mark.parametrize("wrong", [3, None, {"name": "mine"}, b"sky", ["sky"]], ids=str)
def test_other_types_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^recipe: expected a packaged name, .*, got .*; build a"):
        db.load_recipe(wrong)
