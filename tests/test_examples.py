"""The examples in docstrings: each runs and prints what it says."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

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


def test_the_ten_lines_of_the_readme_run() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    (code,) = (part.split("```")[0] for part in text.split("```python\n")[1:])
    code = code.replace('split="train"', 'split="train", size=100')
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
