"""The plan of the package: few entries at the top, short files and functions, named arguments."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

import deepbench_torch as db
from deepbench_torch.generate import CONTENTS
from deepbench_torch.plotting.gallery import GALLERIES
from deepbench_torch.recipes import Content

PACKAGE = Path(db.__file__).parent
MOST_ENTRIES, MOST_LINES, MOST_STATEMENTS, MOST_POSITIONAL = 20, 300, 30, 2
# what is longer than MOST_STATEMENTS, and why
LONG = {
    "datasets/collection.py:__init__": "checks and keeps twelve arguments, a line each",
    "datasets/streams/loader.py:__init__": "keeps the arguments of a DataLoader, a line each",
    "native/plan.py:_settings": "a table: each setting of the kernels on a line",
    "plotting/cards/croissant.py:write_croissant": "a table: each field of the standard on a line",
    "recipes/schema.py:recipe_schema": "a table: the parts of the schema",
    "storage/describe.py:_from_attributes": "a table: each attribute of a file on a line",
    "storage/hdf5/header.py:_header": "a table: each attribute of a file on a line",
    "storage/hdf5/shards.py:_join": "one transaction, whose order matters",
}
# public functions of three positional arguments, as the design states them
THREE = {"generate", "simulate", "fisher"}

SWITCH = re.compile(
    r"isinstance\([^)]*\b(Recipe|SeriesRecipe|Sample|SeriesSample)\)|content [!=]= \"(image|series)"
)


class Function(NamedTuple):
    """A function of the package."""

    file: str
    node: ast.FunctionDef

    @property
    def lines(self) -> int:
        """The lines of code, without signature and docstring."""
        body = self.node.body[1:] if ast.get_docstring(self.node) else self.node.body
        return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]

    @property
    def location(self) -> str:
        """The file and the name."""
        return f"{self.file}:{self.node.name}"


def functions() -> Iterator[Function]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield Function(path.relative_to(PACKAGE).as_posix(), node)


def test_the_top_has_few_entries() -> None:
    entries = [
        path.name for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "py.typed")
    ]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_files_are_short() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    assert {path.name: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_functions_are_short() -> None:
    long = {each.location: each.lines for each in functions() if each.lines > MOST_STATEMENTS}
    assert sorted(long) == sorted(LONG)


def public() -> Iterator[Callable[..., object]]:
    """Yield the public functions, constructors and methods."""
    for name in db.__all__:
        value = getattr(db, name)
        if inspect.isfunction(value):
            yield value
        elif inspect.isclass(value):
            members = inspect.getmembers(value, inspect.isfunction)
            yield from (
                member
                for own, member in members
                if member.__module__.startswith("deepbench_torch")
                and (not own.startswith("_") or own == "__init__")
            )
    yield from (db.physics.nbody.simulate, db.physics.pendulum.simulate)
    yield db.physics.hamiltonian.simulate


@pytest.mark.moves_generators  # importing Lightning does
def test_public_functions_have_two_positional_parameters_at_most() -> None:
    for function in public():
        parameters = inspect.signature(function).parameters
        kinds = [each.kind for name, each in parameters.items() if name != "self"]
        positional = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if function.__name__ in THREE or function.__name__.endswith(("_step", "_hook")):
            assert positional <= 3
        else:
            assert positional <= MOST_POSITIONAL, function.__qualname__


# the most that a file may ask for one content, with the reason
SWITCHES = {
    "recipes/recipe.py": 1,  # `require_images`, for arguments that only images have
    "storage/formats/fits.py": 1,  # images of one channel
    "storage/formats/fits_cards.py": 1,  # blur, noise and sky of images
}


def test_every_content_has_its_row_in_each_table() -> None:
    assert set(CONTENTS) == set(GALLERIES) == set(get_args(Content))


def test_nothing_else_switches_between_images_and_series() -> None:
    found: dict[str, int] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        count = len(SWITCH.findall(text))
        if count:
            found[path.relative_to(PACKAGE).as_posix()] = count
    assert {file: n for file, n in found.items() if n > SWITCHES.get(file, 0)} == {}


def test_the_readme_names_files_that_exist() -> None:
    root = PACKAGE.parent
    table = (root / "README.md").read_text(encoding="utf-8").split("| to add or change |")[1]
    names = re.findall(r"`([\w/]+(?:/|\.\w+))`", table.split("\n\n")[0])
    assert len(names) > 20
    assert [name for name in names if not any((at / name).exists() for at in (root, PACKAGE))] == []
