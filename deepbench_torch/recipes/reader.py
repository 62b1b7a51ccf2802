"""Search for recipes by name, and their reading from YAML."""

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, overload

from deepbench_torch.degrade.psf_array import with_pixels
from deepbench_torch.numerics.checks import Fault, FaultsError, nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes.base import AbstractRecipe, Content, R, build_recipe, warn_of
from deepbench_torch.recipes.changes import apply_changes
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.recipes.recipe import Recipe
from deepbench_torch.recipes.series import SeriesRecipe
from deepbench_torch.recipes.single_object import single_object_recipe
from deepbench_torch.recipes.text import parse_yaml, read_yaml


def list_recipes(content: Content | None = None) -> list[str]:
    """Return the names of the packaged recipes, sorted.

    Args:
        content: "image" or "series" for the recipes of one kind of row; None for all.

    Example:
        >>> import deepbench_torch as db
        >>> db.list_recipes("series")
        ['hamiltonian_pendulum', 'nbody', 'pendulum']
    """
    return [name for name in _packaged() if content is None or _read(name).content == content]


@cache
def _packaged() -> tuple[str, ...]:
    """Return the names of the packaged recipes, sorted: YAML files, and kinds of objects."""
    names = (entry.name for entry in files("deepbench_torch.recipes").iterdir())
    stems = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted({*stems, *OBJECTS}))


@cache
def _read(name: str) -> AbstractRecipe:
    """Return a packaged recipe, read once per process because recipes are immutable."""
    found = find_recipe(name)
    return recipe_from_plain(found.plain, source=found.source)


@overload
def load_recipe(name_or_path: R) -> R: ...
@overload
def load_recipe(name_or_path: str | Path) -> Any: ...
def load_recipe(name_or_path: str | Path | AbstractRecipe) -> AbstractRecipe:
    """Return a packaged recipe by name, or the recipe of a YAML file.

    Args:
        name_or_path: A packaged name, a YAML file, or a recipe, which is returned unchanged.

    Returns:
        A Recipe of images or a SeriesRecipe of time series.

    Raises:
        TypeError: If `name_or_path` has another type.
        ValueError: If there is no such recipe, or it is not valid.
        FileNotFoundError: If the YAML file does not exist.

    Example:
        >>> import deepbench_torch as db
        >>> db.load_recipe("astro").size_text
        '28 x 28 pixels'
    """
    if isinstance(name_or_path, AbstractRecipe):
        return name_or_path
    if not isinstance(name_or_path, str | Path):
        raise TypeError(
            "recipe: expected a packaged name, a YAML file or a recipe, got "
            f"{short_repr(name_or_path)}; build a recipe from a mapping with "
            "db.Recipe.model_validate"
        )
    if str(name_or_path) in _packaged():
        return _read(str(name_or_path))
    found = find_recipe(name_or_path)
    recipe = recipe_from_plain(found.plain, source=found.source)
    warn_of(recipe)
    return recipe


def recipe_warnings(name_or_path: str | Path) -> list[str]:
    """Return the numbers that were probably meant in another unit, one line each.

    Args:
        name_or_path: Name of a packaged recipe, or YAML file of a valid recipe.

    Raises:
        ValueError: If the recipe is not valid.
    """
    found = find_recipe(name_or_path)
    recipe = recipe_from_plain(found.plain, source=found.source)
    return [str(fault) for fault in recipe.doubts()]


def recipe_faults(name_or_path: str | Path) -> list[str]:
    """Return every fault of a recipe, one line each; empty if it is valid.

    Args:
        name_or_path: Name of a packaged recipe, or YAML file.
    """
    try:
        found = find_recipe(name_or_path)
    except (ValueError, OSError) as error:
        return [str(error)]
    return find_faults(_kind(found.plain), found.plain, source=found.source)


class PlainRecipe(NamedTuple):
    """A recipe before validation, merged into the recipe that it extends.

    Attributes:
        plain: Numbers, strings, lists and mappings.
        source: Origin of the values, for messages.
    """

    plain: object
    source: str


def find_recipe(name_or_path: str | Path, *, within: tuple[str, ...] = ()) -> PlainRecipe:
    """Return the plain values of a packaged recipe or of a YAML file.

    Args:
        name_or_path: Name of a packaged recipe, or file whose name ends in .yaml or .yml.
        within: Files that extend each other down to this one.

    Raises:
        ValueError: If there is no such recipe, it is not YAML, or it extends itself.
        FileNotFoundError: If the file does not exist.
    """
    text = os.fspath(name_or_path)
    if text in OBJECTS:
        return PlainRecipe(single_object_recipe(text), f"recipe {text}")
    if text in list_recipes():
        content = (files("deepbench_torch.recipes") / f"{text}.yaml").read_text(encoding="utf-8")
        return PlainRecipe(parse_yaml(content, source=f"recipe {text}"), f"recipe {text}")
    if not text.endswith((".yaml", ".yml")):
        raise ValueError(
            f"recipe: expected {', '.join(list_recipes())} or a file ending in .yaml, got "
            f"{text!r}; {nearest(text, list_recipes()).strip() or 'write one of them'}"
        )
    path = user_path(name_or_path)
    plain = _with_pixels(read_yaml(path, source=text), source=text, folder=path.parent)
    if isinstance(plain, dict) and "extends" in plain:
        plain = _merge_base(plain, Path(text), path=path, within=within)
    return PlainRecipe(plain, text)


def _with_pixels(plain: object, *, source: str, folder: Path) -> object:
    """Return a recipe with the pixels of its point spread instead of the name of their file.

    Args:
        plain: The recipe.
        source: Origin of the values, for the message.
        folder: Folder of the recipe's file, from which a relative name starts.

    Raises:
        ValueError: If the file holds no point spread.
    """
    effects = plain.get("degrade") if isinstance(plain, dict) else None
    if not isinstance(effects, dict) or not isinstance(plain, dict):
        return plain
    try:
        pixels = {"psf": with_pixels(effects["psf"], folder)} if "psf" in effects else {}
        return plain | {"degrade": effects | pixels}
    except FaultsError as error:
        faults = [Fault(("degrade", "psf", *f.location), f.message) for f in error.faults]
        raise ValueError(f"{source} is not valid: {FaultsError(faults)}") from None


def _merge_base(
    plain: dict[str, Any], file: Path, *, path: Path, within: tuple[str, ...]
) -> dict[str, Any]:
    """Return a recipe merged into the one that it extends, by the rules of `replace`.

    Args:
        plain: The recipe.
        file: File of the recipe as the user wrote it, for messages and for files beside it.
        path: Absolute path of that file.
        within: Files that extend each other down to this one.
    """
    base, changes = plain["extends"], {key: plain[key] for key in plain if key != "extends"}
    values = _read_base(base, file, within=(*within, str(path.resolve())))
    name = re.sub(r"[^A-Za-z0-9_.-]+|^\.+$", "_", path.stem)
    own = {"name": name, "description": f"{values.get('name')} with changes"}
    try:
        return apply_changes(values | own, changes)
    except FaultsError as error:
        raise ValueError(f"{file} is not valid: {error}") from None


def _read_base(base: object, file: Path, *, within: tuple[str, ...]) -> dict[str, Any]:
    """Return the plain values of the recipe that another extends.

    Raises:
        ValueError: If it is not a recipe, or extends the other.
        FileNotFoundError: If there is no such file.
    """
    where = f"{file}: extends: expected"
    if not isinstance(base, str) or not base:
        raise ValueError(f"{where} a packaged recipe or a YAML file, got {base!r}; write its name")
    *before, last = within
    if last in before:
        chain = " -> ".join(Path(each).name for each in within[before.index(last) :])
        raise ValueError(f"{where} a file that does not extend this one, got {chain}; use another")
    name = base if base in list_recipes() else str(file.parent / os.path.expanduser(base))
    try:
        found = find_recipe(name, within=within)
    except (ValueError, FileNotFoundError) as error:
        if str(error).startswith(str(file)) or before:
            raise
        raise type(error)(f"{file}: extends: {error}") from None
    if not isinstance(found.plain, dict):
        found_text = f"got {short_repr(found.plain)}; extend a recipe"
        raise ValueError(f"{where} a mapping in {found.source}, {found_text}")
    return found.plain


def recipe_from_plain(plain: object, *, source: str) -> AbstractRecipe:
    """Return a recipe of time series if the values name a system, else a recipe of images.

    Args:
        plain: Values of a YAML file.
        source: Origin of the values, for the error message.

    Raises:
        ValueError: If the values are not valid; it lists every fault with its remedy.
    """
    return build_recipe(_kind(plain), plain, source=source)


def _kind(plain: object) -> type[Recipe] | type[SeriesRecipe]:
    return SeriesRecipe if isinstance(plain, Mapping) and "system" in plain else Recipe
