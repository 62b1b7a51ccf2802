"""Imports between the modules of recipes: no circle, not even one for type checkers only."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import deepbench_torch as db

PREFIX = "deepbench_torch.recipes"
FOLDER = Path(db.__file__).parent / "recipes"


def imports(path: Path) -> set[str]:
    """Return the names of the recipe modules that a file imports anywhere in its text."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.removeprefix(f"{PREFIX}.") for name in names if name.startswith(PREFIX)}


def test_modules_of_recipes_have_an_order() -> None:
    modules = {path.stem: imports(path) for path in FOLDER.glob("*.py")}
    order = list(TopologicalSorter(modules).static_order())  # CycleError for a circle
    assert order.index("base") < order.index("ladder") < order.index("recipe")


@pytest.mark.parametrize(
    "line",
    [
        "from deepbench_torch.recipes.recipe import Recipe",
        "import deepbench_torch.recipes.recipe",
        "if TYPE_CHECKING:\n    from deepbench_torch.recipes.recipe import Recipe",
        "def late() -> None:\n    from deepbench_torch.recipes.recipe import Recipe",
    ],
)
def test_every_form_of_import_counts(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)
    assert imports(path) == {"recipe"}
