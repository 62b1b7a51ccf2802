"""The JSON schema of recipes, checked by an independent validator."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes.reader import find_recipe
from deepbench_torch.recipes.schema import packaged_schema, recipe_schema, schema_text

SCHEMA = json.loads(packaged_schema())
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = {
    "name": "mine",
    "image": {"height": 8, "width": 9},
    "label": "class",
    "count": 1,
    "objects": {"star": {"gamma": 0.1}},
}


def faults(plain: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(plain)]


def test_the_packaged_schema_is_current() -> None:
    """Write it again with `python -m deepbench_torch.recipes.schema`."""
    assert packaged_schema() == schema_text()


def test_it_is_a_schema_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    parts = recipe_schema()["$defs"]
    for name in ("Recipe", "SeriesRecipe", "Layout", "Simplification"):
        for key, part in parts[name]["properties"].items():
            assert part.get("description"), f"{name}.{key}"
    assert set(parts["Recipe"]["properties"]["objects"]["properties"]) == set(OBJECTS)


@pytest.mark.parametrize("name", db.list_recipes())
def test_packaged_recipes_fit(name: str) -> None:
    assert faults(find_recipe(name).plain) == []
    # as in files, with every default written out
    plain = yaml.safe_load(db.load_recipe(name).to_yaml())
    assert faults(plain) == []


@pytest.mark.parametrize(
    "change",
    [
        {"scene": [{"star": {"x": 0.5}}], "count": None},
        {"objects": {"star": {"x": {"normal": {"mean": 0.5, "std": 0.1}}}}},
        {"objects": {"star": {"x": {"choice": {"values": [1, 2], "weights": [1, 2]}}}}},
        {"objects": {"star": {"x": {"choice": [0.1, 0.2]}, "y": {"fixed": 0.5}}}},
        {"objects": {"star": {"x": {"uniform": {"low": 0, "high": 1}}}}},
        {"simplify": {"objects": 1, "kinds": ["star"]}, "ladder": ["noise"], "size": 3, "seed": 4},
        {"degrade": {"blur": {"sigma": 0.1}, "poisson": None}},
        {"degrade": {"poisson": {"exposure": 1, "background": None}, "blur": None}},
        {"degrade": None, "ladder": None, "compose": None, "layout": None, "simplify": None},
        {"layout": {"visible": 0.5, "grid": None}, "size": None, "description": None},
    ],
)
def test_valid_recipes_fit(change: dict[str, Any]) -> None:
    assert faults(GOOD | change) == []
    assert db.Recipe.model_validate(GOOD | change).name == "mine"


def test_a_recipe_with_extends_requires_no_other_key() -> None:
    assert faults({"extends": "sky"}) == []
    assert faults({"extends": "sky", "objects": {"star": None}, "count": None}) == []
    assert faults({"extends": "sky", "objects": {"star": {"x": None}}, "degrade": None}) == []
    assert faults({"extends": "pendulum", "time": {"duration": 1, "steps": 3}}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"label": "clas"},
        {"image": {"height": 0, "width": 9}},
        {"image": {"height": "8", "width": 9}},
        {"image": {"height": 8}},
        {"objects": {"comet": {}}},
        {"objects": {"star": {"gama": 1}}},
        {"objects": {"star": {"x": {"unifrom": [0, 1]}}}},
        {"objects": {"star": {"x": {"uniform": [0]}}}},
        {"objects": {"star": {"x": "1e-3"}}},
        {"objects": {}},
        {"degrade": {"poisson": {"exposure": -1}}},
        {"degrade": {"poison": {"exposure": 1}}},
        {"layout": {"visible": 2}},
        {"name": "a/b"},
        {"scene": []},
        {"simplify": {"objects": 0}},
        {"size": 0},
    ],
)
def test_invalid_recipes_do_not_fit(change: dict[str, Any]) -> None:
    assert faults(GOOD | change)
    with pytest.raises(ValueError):
        db.Recipe.model_validate(GOOD | change)


@pytest.mark.parametrize("key", ["name", "image", "label", "objects"])
def test_required_keys_are_required(key: str) -> None:
    assert faults({name: value for name, value in GOOD.items() if name != key})
