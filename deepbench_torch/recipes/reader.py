"""Finding recipes by name and reading them from YAML."""

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, overload

from deepbench_torch.arguments import FaultsError, nearest
from deepbench_torch.paths import user_path
from deepbench_torch.recipes.base import AbstractRecipe, Content, R, validated, warn_of
from deepbench_torch.recipes.changes import apply_changes
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.messages import shown
from deepbench_torch.recipes.recipe import Recipe
from deepbench_torch.recipes.series import SeriesRecipe
from deepbench_torch.recipes.text import parse_yaml, read_yaml


def list_recipes(content: Content | None = None) -> list[str]:
    """The names of the packaged recipes, sorted.

    Args:
        content: Only those of images or only those of series; None for all.
    """
    return [name for name in _packaged() if content is None or _read(name).content == content]


@cache
def _packaged() -> tuple[str, ...]:
    """Return the names of the packaged recipes, sorted."""
    names = (entry.name for entry in files("deepbench_torch.recipes").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def _read(name: str) -> AbstractRecipe:
    """Return a packaged recipe, read once a process: it never changes."""
    found = find_recipe(name)
    return recipe_from_plain(found.plain, source=found.source)


@overload
def load_recipe(name_or_path: R) -> R: ...
@overload
def load_recipe(name_or_path: str | Path) -> Any: ...
def load_recipe(name_or_path: str | Path | AbstractRecipe) -> AbstractRecipe:
    """A packaged recipe by its name, or one from a YAML file; a recipe is returned as it is.

    Returns:
        A Recipe of images or a SeriesRecipe of time series.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no such recipe, or it is not valid.
        FileNotFoundError: If the YAML file does not exist.
    """
    if isinstance(name_or_path, AbstractRecipe):
        return name_or_path
    if not isinstance(name_or_path, str | Path):
        raise TypeError(
            "recipe: expected a packaged name, a YAML file or a recipe, got "
            f"{shown(name_or_path)}; make a recipe of a mapping with db.Recipe.model_validate"
        )
    if str(name_or_path) in _packaged():
        return _read(str(name_or_path))
    found = find_recipe(name_or_path)
    recipe = recipe_from_plain(found.plain, source=found.source)
    warn_of(recipe)
    return recipe


def recipe_warnings(name_or_path: str | Path) -> list[str]:
    """Return the numbers that are valid but were probably meant in another unit, a line each.

    Args:
        name_or_path: A packaged recipe's name, or a YAML file of a valid recipe.

    Raises:
        ValueError: If the recipe is not valid.
    """
    found = find_recipe(name_or_path)
    recipe = recipe_from_plain(found.plain, source=found.source)
    return [str(fault) for fault in recipe.doubts()]


def recipe_faults(name_or_path: str | Path) -> list[str]:
    """Everything that is wrong with a recipe, a line each; nothing if it is valid."""
    try:
        found = find_recipe(name_or_path)
    except (ValueError, OSError) as error:
        return [str(error)]
    return find_faults(_kind(found.plain), found.plain, source=found.source)


class Found(NamedTuple):
    """A recipe as it stands in its YAML, with what it extends put in.

    Attributes:
        plain: Numbers, texts, lists and mappings.
        source: Where it came from, for messages.
    """

    plain: object
    source: str


def find_recipe(name_or_path: str | Path, *, within: tuple[str, ...] = ()) -> Found:
    """What the YAML of a packaged recipe or of a file holds.

    Args:
        name_or_path: A packaged recipe's name, or a file whose name ends in .yaml or .yml.
        within: The files that extend each other down to this one.

    Raises:
        ValueError: If there is no such recipe, it is not YAML, or it extends itself.
        FileNotFoundError: If the file does not exist.
    """
    text = os.fspath(name_or_path)
    if text in list_recipes():
        content = (files("deepbench_torch.recipes") / f"{text}.yaml").read_text(encoding="utf-8")
        return Found(parse_yaml(content, source=f"recipe {text}"), f"recipe {text}")
    if not text.endswith((".yaml", ".yml")):
        raise ValueError(
            f"there is no recipe {text!r}; packaged are {', '.join(list_recipes())}; "
            f"{nearest(text, list_recipes())}a file of your own must end in .yaml"
        )
    path = user_path(name_or_path)
    plain = read_yaml(path, source=text)
    if isinstance(plain, dict) and "extends" in plain:
        plain = _extended(plain, Path(text), path=path, within=within)
    return Found(plain, text)


def _extended(
    plain: dict[str, Any], written: Path, *, path: Path, within: tuple[str, ...]
) -> dict[str, Any]:
    """Return a recipe merged into the one that it extends, by the rules of `replace`.

    Args:
        plain: The recipe.
        written: Its file as the user wrote it, for messages and for files beside it.
        path: Its file.
        within: The files that extend each other down to this one.
    """
    base, changes = plain["extends"], {key: plain[key] for key in plain if key != "extends"}
    found = _base(base, written, within=(*within, str(path.resolve())))
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem)
    own = {"name": name, "description": f"{found.get('name')} with changes"}
    try:
        return apply_changes(found | own, changes)
    except FaultsError as error:
        raise ValueError(f"{written} is not valid: {error}") from None


def _base(base: object, written: Path, *, within: tuple[str, ...]) -> dict[str, Any]:
    """Return the recipe that another extends.

    Raises:
        ValueError: If it is no recipe, or extends the other.
        FileNotFoundError: If there is no such file.
    """
    where = f"{written}: extends: expected"
    if not isinstance(base, str) or not base:
        raise ValueError(f"{where} a packaged recipe or a YAML file, got {base!r}; write its name")
    *before, here = within
    if here in before:
        chain = " -> ".join(Path(file).name for file in within[before.index(here) :])
        raise ValueError(f"{where} no way back to the file itself, got {chain}; extend another")
    name = base if base in list_recipes() else str(written.parent / os.path.expanduser(base))
    try:
        found = find_recipe(name, within=within)
    except (ValueError, FileNotFoundError) as error:
        if str(error).startswith(str(written)) or before:
            raise
        raise type(error)(f"{written}: extends: {error}") from None
    if not isinstance(found.plain, dict):
        found_text = f"got {shown(found.plain)}; extend a recipe"
        raise ValueError(f"{where} a mapping in {found.source}, {found_text}")
    return found.plain


def recipe_from_plain(plain: object, *, source: str) -> AbstractRecipe:
    """A recipe of time series, if it names a system, else one of images.

    Args:
        plain: What a YAML file holds.
        source: Where it came from, for the error message.

    Raises:
        ValueError: Listing every fault with its location, what was found and what is allowed.
    """
    return validated(_kind(plain), plain, source=source)


def _kind(plain: object) -> type[Recipe] | type[SeriesRecipe]:
    return SeriesRecipe if isinstance(plain, Mapping) and "system" in plain else Recipe
