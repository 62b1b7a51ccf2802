"""Finding recipes by name and reading them from YAML."""

from importlib.resources import files
from pathlib import Path

import yaml

from deepbench_torch.recipes.recipe import Recipe, recipe_from_plain


def list_recipes() -> list[str]:
    """The names of the packaged recipes, sorted."""
    folder = files("deepbench_torch.recipes")
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def load_recipe(name_or_path: str | Path | Recipe) -> Recipe:
    """A packaged recipe by its name, or one from a YAML file; a Recipe is returned as it is.

    Raises:
        ValueError: If there is no such recipe, or it is not valid.
        FileNotFoundError: If the YAML file does not exist.
    """
    if isinstance(name_or_path, Recipe):
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
