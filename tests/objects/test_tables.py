"""The public tables of objects and systems: pickled, copied, explained by help(), and units."""

import copy
import pickle
import pydoc
import subprocess
import sys
from typing import Any

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.systems import SYSTEMS

each_kind = pytest.mark.parametrize("name", list(OBJECTS))


@each_kind
def test_a_kind_is_pickled_and_copied_as_itself(name: str) -> None:
    kind = db.OBJECTS[name]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(kind, protocol)) is kind  # noqa: S301
    assert copy.copy(kind) is kind
    assert copy.deepcopy(kind) is kind
    assert len({kind, OBJECTS[name]}) == 1


def test_a_kind_of_ones_own_is_pickled_by_its_parts() -> None:
    star = OBJECTS["star"]
    parts: dict[str, Any] = {name: getattr(star, name) for name in star.__dataclass_fields__}
    own: ObjectKind[Any] = ObjectKind(**(parts | {"name": "mine"}))
    again = pickle.loads(pickle.dumps(own))  # noqa: S301
    assert again is not own
    assert again.name == "mine"
    values = {name: torch.ones(1) * 2 for name in own.parameters}
    grid = db.Grid(5, 6)
    assert torch.equal(again.render(values, grid), star.render(values, grid))


def test_systems_are_pickled() -> None:
    assert pickle.loads(pickle.dumps(SYSTEMS)) == SYSTEMS  # noqa: S301
    assert copy.deepcopy(SYSTEMS) == SYSTEMS


@each_kind
def test_help_explains_every_parameter(name: str) -> None:
    """Meaning, unit, range and default prior, each on the line of the parameter."""
    text = pydoc.plain(pydoc.render_doc(db.OBJECTS[name]))
    assert "render(parameters, grid)" in text
    lines = {line.split(":")[0].strip(): line for line in text.splitlines() if ": " in line}
    for parameter, field in OBJECTS[name].fields.items():
        line = lines[parameter]
        assert field.range in line
        assert line.endswith(f"prior {field.prior.to_plain()}")
        if field.unit in ("pixel", "radian"):
            assert f"[{field.unit}]" in line
        meaning = line.split(": ", 1)[1].split(";")[0]
        assert len(meaning.split("[")[0]) > 5


def test_help_works_without_docstrings() -> None:
    code = "import deepbench_torch as db; print(db.OBJECTS['star'].__doc__)"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True
    )
    assert "gamma: length [pixel]; > 0; prior {'uniform': [0.04, 0.08]}" in done.stdout


@pytest.mark.parametrize(
    ("recipe", "path", "unit"),
    [
        ("sky", "parameters/star/gamma", "pixel"),
        ("sky", "parameters/galaxy/theta", "radian"),
        ("sky", "parameters/galaxy/n", ""),
        ("sky", "present/star", None),
        ("sky", "label", None),
        ("nbody", "parameters/nbody/mass", "solar mass"),
        ("nbody", "used/nbody/mass", "solar mass"),
        ("nbody", "present/nbody", None),
        ("nbody", "time", "yr"),
        ("nbody", "kinetic", "solar mass au^2 / yr^2"),
    ],
)
def test_a_unit_is_found_by_its_path(recipe: str, path: str, unit: str | None) -> None:
    assert db.load_recipe(recipe).unit(path) == unit


@pytest.mark.parametrize("name", db.list_recipes())
def test_every_table_of_a_sample_has_its_unit(name: str) -> None:
    recipe = db.load_recipe(name)
    for path in db.generate(recipe, 0, torch.arange(1)).tables():
        assert (recipe.unit(path) is not None) == path.startswith(
            ("parameters", "used", "conditions")
        )


@pytest.mark.parametrize(
    ("recipe", "path", "hint"),
    [
        ("sky", "parameters/star/gama", "did you mean 'parameters/star/gamma'"),
        ("sky", "parameters/star", "parameters/star/"),
        ("sky", "parameters/circle/radius", ""),
        ("sky", "lable", "did you mean 'label'"),
        ("sky", "typo", "use one such as image, clean, label or conditions/background"),
        ("sky", "", "use one such as image"),
        ("nbody", "parameters/nbody/mas", "did you mean 'parameters/nbody/mass'"),
        ("nbody", "parameters/pendulum/length", ""),
    ],
)
def test_a_path_that_is_none_is_refused(recipe: str, path: str, hint: str) -> None:
    with pytest.raises(ValueError, match="unit: expected the path of an array, got ") as caught:
        db.load_recipe(recipe).unit(path)
    assert hint in str(caught.value)
