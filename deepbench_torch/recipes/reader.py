"""Finding recipes by name and reading them from YAML."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, overload

import yaml

from deepbench_torch.recipes.base import AbstractRecipe, Content, R, validated
from deepbench_torch.recipes.recipe import Recipe
from deepbench_torch.recipes.series import SeriesRecipe


def list_recipes(content: Content | None = None) -> list[str]:
    """The names of the packaged recipes, sorted.

    Args:
        content: Only those of images or only those of series; None for all.
    """
    folder = files("deepbench_torch.recipes")
    names = sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )
    return [name for name in names if content is None or _content(name) == content]


@cache
def _content(name: str) -> Content:
    recipe: AbstractRecipe = load_recipe(name)
    return recipe.content


@overload
def load_recipe(name_or_path: R) -> R: ...
@overload
def load_recipe(name_or_path: str | Path) -> Any: ...
def load_recipe(name_or_path: str | Path | AbstractRecipe) -> AbstractRecipe:
    """A packaged recipe by its name, or one from a YAML file; a recipe is returned as it is.

    Returns:
        A Recipe of images or a SeriesRecipe of time series.

    Raises:
        ValueError: If there is no such recipe, or it is not valid.
        FileNotFoundError: If the YAML file does not exist.
    """
    if isinstance(name_or_path, AbstractRecipe):
        return name_or_path
    text = str(Path(name_or_path).expanduser())
    if text in list_recipes():
        source = f"recipe {text}"
        content = (files("deepbench_torch.recipes") / f"{text}.yaml").read_text(encoding="utf-8")
    elif text.endswith((".yaml", ".yml")):
        source = text
        content = _read(Path(text))
    else:
        raise ValueError(
            f"there is no recipe {text!r}; packaged are {', '.join(list_recipes())}; "
            "a file of your own must end in .yaml"
        )
    try:
        return recipe_from_plain(_parse(content, source), source=source)
    except (OverflowError, RecursionError) as error:
        raise ValueError(
            f"{source} holds a number that is too large or lists too deep: {error}"
        ) from None


def recipe_from_plain(plain: object, *, source: str) -> AbstractRecipe:
    """A recipe of time series, if it names a system, else one of images.

    Args:
        plain: What a YAML file holds.
        source: Where it came from, for the error message.

    Raises:
        ValueError: Listing every fault with its place, what was found and what is allowed.
    """
    if isinstance(plain, Mapping) and "system" in plain:
        return validated(SeriesRecipe, plain, source=source)
    return validated(Recipe, plain, source=source)


def _read(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no recipe file {str(path)!r} (looked in {str(path.parent.resolve())!r})"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is not text in UTF-8: {error.reason}") from None


def _parse(content: str, source: str) -> object:
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"{source} is not YAML: {detail}") from None
