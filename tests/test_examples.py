"""The examples in docstrings: each runs and prints what it says."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import deepbench_torch as db

FOLDER = Path(__file__).parents[1]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(db.__path__, "deepbench_torch.")
    if not module.name.endswith("__main__")
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.moves_generators  # the examples of training do
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert results.failed == 0


@pytest.mark.parametrize("name", [name for name in db.__all__ if callable(getattr(db, name))])
def test_public_names_have_an_example(name: str) -> None:
    text = inspect.getdoc(getattr(db, name)) or ""
    assert ">>>" in text


# results, which users do not construct, and calls that refuse nothing of their own
RAISE_NOTHING = {"Sample", "SeriesSample", "collate_detection", "list_recipes", "list_weights"}


@pytest.mark.parametrize("name", [name for name in db.__all__ if callable(getattr(db, name))])
def test_public_names_describe_arguments_and_errors(name: str) -> None:
    text = inspect.getdoc(getattr(db, name)) or ""
    assert "Args:" in text or "Attributes:" in text or "describes the keys" in text
    assert ("Raises:" in text) == (name not in RAISE_NOTHING)


@pytest.mark.parametrize("name", ["OBJECTS", "lens_equation", "physics", "reference"])
def test_public_tables_and_modules_describe_their_calls(name: str) -> None:
    value = getattr(db, name)
    parts = list(value.values()) if isinstance(value, dict) else [value]
    functions = [part.render for part in parts] if name == "OBJECTS" else _functions(value)
    assert functions
    for function in functions:
        text = inspect.getdoc(function) or ""
        assert "Args:" in text
        assert "Returns:" in text


def _functions(module: ModuleType) -> list[Callable[..., object]]:
    """Return the functions of a module that users call."""
    if module is db.reference:
        return [db.reference.render]
    if module is db.lens_equation:
        return [
            module.deflection,
            module.image_positions,
            module.magnification,
            module.source_position,
        ]
    return [part.simulate for part in (db.physics.nbody, db.physics.pendulum)] + [
        db.physics.hamiltonian.simulate
    ]


def test_the_ten_lines_of_the_readme_run() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    (code,) = (part.split("```")[0] for part in text.split("```python\n")[1:])
    code = code.replace('split="train"', 'split="train", size=100')
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
