"""Every key of a recipe, given values of every wrong type: refused in one plain form."""

import copy
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from astropy import units as u

import deepbench_torch as db
from deepbench_torch.recipes import AbstractRecipe

IMAGE: dict[str, Any] = {
    "name": "mine",
    "description": "words",
    "size": 5,
    "seed": 6,
    "image": {"height": 8, "width": 9},
    "label": "present",
    "compose": "sum",
    "count": {"integer": [1, 2]},
    "counts": None,
    "groups": None,
    "shared": {"star": ["gamma"]},
    "scene": None,
    "realization": 2,
    "weights": {"star": 1.0},
    "layout": {"visible": 0.5, "candidates": 4, "grid": 8},
    "objects": {"star": {"gamma": {"normal": [0.2, 0.1, 0.1]}, "x": 0.5}},
    "degrade": {
        "blur": {"sigma": 0.1},
        "poisson": {"exposure": 100.0, "background": 1.0},
        "gaussian": {"sigma": 0.1},
    },
    "simplify": {
        "objects": 1,
        "kinds": ["star"],
        "balanced": False,
        "values": {"star": {"x": 0.5}},
    },
    "zero_point": 25.0,
    "pixel_scale": 0.2,
    "ladder": ["noise"],
}
SERIES: dict[str, Any] = {
    "name": "mine",
    "description": "words",
    "size": 5,
    "seed": 6,
    "realization": 2,
    "system": "pendulum",
    "time": {"duration": 1.0, "steps": 2, "substeps": 1},
    "parameters": {"length": {"uniform": [1, 2]}, "angle": 0.5},
    "options": {"method": "exact"},
    "noise": {
        "draw": "step",
        "parameters": {"length": 0.1},
        "measurement": {"angle": 0.1},
    },
}
BASES: dict[type[AbstractRecipe], dict[str, Any]] = {db.Recipe: IMAGE, db.SeriesRecipe: SERIES}
WRONG: dict[str, object] = {
    "str": "abc d",
    "number in quotes": "1e-3",
    "true": True,
    "None": None,
    "list": [],
    "list of lists": [[1]],
    "dict": {"no such key": 1},
    "number as key": {1: 2},
    "nan": math.nan,
    "inf": math.inf,
    "negative": -4,
    "half": 0.5,
    "zero": 0,
    "huge": 10**30,
    "huger": 10**400,
    "Quantity": 3 * u.m,
    "Quantity list": [1, 2] * u.s,
    "complex": 1j,
    "numpy complex": np.complex64(1j),
    "numpy text": np.str_("abc d"),
    "array": np.ones((2, 2)),
    "tensor": torch.ones(2),
    "gradient": torch.ones((), requires_grad=True),
    "set": {1, 2},
    "object": object(),
    "type": int,
    "bytes": b"abc",
    "function": print,
}
RULE = r"expected [^;]+, got [^;]+; .+"
FAULT = rf"[\w. ]+: {RULE}"
RAW = re.compile(r"pydantic|Input should|http|validation error|Value error|type=|\n", re.IGNORECASE)


def locations(plain: dict[str, Any], at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List every key of nested mappings."""
    found = []
    for key, value in plain.items():
        found.append((*at, key))
        if isinstance(value, dict):
            found += locations(value, (*at, key))
    return found


def replace_value(
    plain: dict[str, Any], location: tuple[str, ...], value: object
) -> dict[str, Any]:
    changed = copy.deepcopy(plain)
    holder = changed
    for key in location[:-1]:
        holder = holder[key]
    holder[location[-1]] = value
    return changed


CASES = [(kind, location) for kind, base in BASES.items() for location in locations(base)]
ENTRANCES: list[Callable[[type[AbstractRecipe], dict[str, Any]], object]] = [
    lambda kind, plain: kind.model_validate(plain),
    lambda kind, plain: kind(**plain),
]


def test_the_tables_hold_every_key() -> None:
    for kind, base in BASES.items():
        assert set(base) == set(kind.model_fields)
        kind.model_validate(base)


@pytest.mark.filterwarnings("ignore:recipe mine")  # valid, but doubtful
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", BASES, ids=lambda kind: kind.__name__)
def test_wrong_types_are_refused_in_plain_form(kind: type[AbstractRecipe], wrong: str) -> None:
    """Some values are valid, such as 0 for a brightness; the recipe must then round-trip."""
    for location in locations(BASES[kind]):
        plain = replace_value(BASES[kind], location, WRONG[wrong])
        for entrance in ENTRANCES:
            try:
                recipe = entrance(kind, plain)
            except ValueError as error:
                message = str(error)
                assert re.fullmatch(
                    rf"(recipe (mine|abc d)|{kind.__name__}) is not valid: {FAULT}", message
                )
                assert not RAW.search(message), message
                path = ".".join(location)
                if message.endswith("set a weight above 0"):  # of the sum, so of all weights
                    path = "weights"
                assert path in message or message.count("recipe: ") == 1, (
                    location,
                    message,
                )
                assert len(message) < 2000
            else:
                assert isinstance(recipe, kind)
                again = kind.model_validate(yaml.safe_load(recipe.to_yaml()))
                assert again == recipe
                assert hash(again) == hash(recipe)


@pytest.mark.parametrize("plain", [None, 3, "sky", [1], {"image": 1}, {1: 2}, {}])
@pytest.mark.parametrize("kind", BASES, ids=lambda kind: kind.__name__)
def test_other_values_are_refused(kind: type[AbstractRecipe], plain: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{kind.__name__}.*: {RULE}$") as caught:
        kind.model_validate(plain)
    assert not RAW.search(str(caught.value))


def numbers(value: Any, make: Callable[[Any], object]) -> Any:
    """Replace every number within a value."""
    if isinstance(value, dict):
        return {key: numbers(part, make) for key, part in value.items()}
    if isinstance(value, list):
        return [numbers(part, make) for part in value]
    return make(value) if type(value) in (int, float) else value


@pytest.mark.filterwarnings("ignore:recipe mine")
@pytest.mark.parametrize(
    "make",
    [
        lambda number: np.asarray(number)[()],
        np.asarray,
        torch.tensor,
        lambda number: (
            torch.tensor(number, dtype=torch.float64)
            if isinstance(number, float)
            else np.int8(number)
        ),
    ],
)
@pytest.mark.parametrize("kind", BASES, ids=lambda kind: kind.__name__)
def test_numbers_of_numpy_and_torch_are_accepted(
    kind: type[AbstractRecipe], make: Callable[[Any], object]
) -> None:
    """All values are exact in single precision, so none is rounded."""
    exact = numbers(BASES[kind], lambda n: n if isinstance(n, int) else 0.25)
    expected = kind.model_validate(exact)
    recipe = kind.model_validate(numbers(exact, make))
    assert recipe == expected
    assert recipe.to_yaml() == expected.to_yaml()
    assert recipe.digest == expected.digest


def test_a_part_alone_is_refused_in_the_same_form() -> None:
    blur = db.load_recipe("star").replace(degrade={"blur": {"sigma": 0.1}}).degrade.blur
    with pytest.raises(ValueError, match=rf"^Blur is not valid: sigma: {RULE}$"):
        type(blur)(sigma=-1)


def test_a_change_of_a_recipe_is_refused_in_the_same_form() -> None:
    recipe = db.load_recipe("sky")
    for changed in (recipe, recipe.image, recipe.degrade):
        name = next(iter(type(changed).model_fields))
        with pytest.raises(ValueError, match=rf"{name}: expected no change of a frozen recipe"):
            setattr(changed, name, 3)
        with pytest.raises(ValueError, match=rf"{name}: expected no change of a frozen recipe"):
            delattr(changed, name)


def test_json_is_read_as_yaml_is() -> None:
    recipe = db.load_recipe("sky")
    assert db.Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    for text in ("{", '{"name": 3}', "[]"):
        with pytest.raises(ValueError, match=r"Recipe.*: expected ") as caught:
            db.Recipe.model_validate_json(text)
        assert not RAW.search(str(caught.value))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": {"integer": [1, 9]}}, r"count: \{'integer': \[1, 9\]\}; set count: 1"),
        ({"count": None, "counts": {"star": 1}}, r"counts: \{'star': 1.0\}; set count: 1"),
        ({"count": None, "scene": [{"star": {}}] * 2}, "scene: 2 objects; set count: 1"),
    ],
)
def test_a_message_names_the_key_that_the_user_wrote(change: dict[str, Any], message: str) -> None:
    recipe = db.load_recipe("star")
    with pytest.raises(ValueError, match=message) as caught:
        recipe.replace(**change)
    assert ("counts" in str(caught.value)) == ("counts" in change)


@pytest.mark.parametrize(
    "key",
    ["\x1b[31mred", "a\nb", pytest.param("x" * 10_000, id="long"), "\u202egnp.exe", "\r", "", " "],
    ids=ascii,
)
@pytest.mark.parametrize("at", [(), ("objects",), ("objects", "star"), ("degrade",)], ids=str)
def test_control_characters_in_keys_and_names_are_escaped(at: tuple[str, ...], key: str) -> None:
    for plain in (
        replace_value(IMAGE, (*at, key), 1),
        IMAGE | {"name": f" {key}"},
        IMAGE | {"label": key},
    ):
        with pytest.raises(ValueError, match="is not valid: ") as caught:
            db.Recipe.model_validate(plain)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 2000


def test_recursive_values_are_refused() -> None:
    objects: dict[str, Any] = {}
    objects["star"] = objects
    scene: list[Any] = []
    scene.append(scene)
    for change in ({"objects": objects}, {"scene": scene, "count": None}, {"degrade": objects}):
        with pytest.raises(ValueError, match=r": expected .*, got ") as caught:
            db.Recipe.model_validate(IMAGE | change)
        assert len(str(caught.value)) < 2000
