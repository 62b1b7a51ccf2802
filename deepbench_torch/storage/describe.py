"""describe(): the metadata of a stored catalogue of any format."""

from pathlib import Path
from typing import Any

from deepbench_torch.datasets import split_rows
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.numerics.row_numbers import check_seed
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.paths import entries, user_path
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.escape import line
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.formats.table import describe_file
from deepbench_torch.storage.hdf5.header import check_exists
from deepbench_torch.storage.names import METADATA, RECIPE
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust import check_metadata, inside, parse_recipe, read_json, read_text


def describe(path: str | Path) -> Description:
    """Return the metadata of a stored catalogue.

    A folder that holds only one catalogue may be given instead of it.

    Raises:
        FileNotFoundError: If there is nothing at the path, or a folder that holds no catalogue.
        ValueError: If it is damaged, not of this package, or of another generator.
    """
    path = user_path(path)
    check_exists(path)
    with reading(path):
        if path.is_dir() and not (path / METADATA).is_file():
            path = _only_catalogue(path)
        if path.is_dir():
            return _describe_folder(path)
    return describe_file(path)


def _only_catalogue(folder: Path) -> Path:
    """Return the only catalogue in a folder."""
    found = [at for at in entries(folder) if at.suffix == ".h5" or (at / METADATA).is_file()]
    if not found:
        raise FileNotFoundError(
            f"there is no catalogue in {str(folder)!r}, neither a {METADATA} nor an .h5 file; "
            "write one with deepbench_torch.materialize or `deepbench-torch generate`"
        )
    if len(found) > 1:
        raise ValueError(
            f"there are {len(found)} catalogues in {str(folder)!r}, "
            f"{', '.join(at.name for at in found)}; give the path of one of them"
        )
    return found[0]


def _describe_folder(path: Path) -> Description:
    recipe_file, metadata = inside(path, RECIPE), inside(path, METADATA)
    recipe = parse_recipe(read_text(recipe_file), source=str(recipe_file))
    attributes = read_json(metadata)
    try:
        return _from_attributes(path, recipe, attributes)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if str(path) in str(error):
            raise
        raise ValueError(
            f"{str(metadata)!r} is damaged ({type(error).__name__}: {error}); write the "
            "catalogue again"
        ) from None


def _from_attributes(path: Path, recipe: AbstractRecipe, attributes: dict[str, Any]) -> Description:
    if attributes["generator_version"] != GENERATOR_VERSION:
        raise ValueError(
            f"{str(path)!r} was made by generator version {attributes['generator_version']}, this "
            f"is version {GENERATOR_VERSION} and generates other rows; write it again, or install "
            f"{line(str(attributes['package']))}"
        )
    check_metadata(attributes, path / METADATA)
    if attributes["digest"] != recipe.digest:
        raise ValueError(
            f"{str(path / RECIPE)!r} is not the recipe that the catalogue was made by: its digest "
            f"is {recipe.digest:.12}, that in {METADATA} {attributes['digest']:.12}; restore it"
        )
    split = None if attributes["split"] == "all" else attributes["split"]
    if (
        attributes["format"] not in FORMATS
        or len(split_rows(attributes["size"], split)) != attributes["rows"]
    ):
        raise ValueError(
            f"its format is {attributes['format']!r} and its rows are {attributes['rows']!r}"
        )
    extensions = attributes.get("extensions", [])
    return Description(
        path=path,
        format=attributes["format"],
        recipe=recipe,
        seed=check_seed(attributes["seed"]),
        size=attributes["size"],
        split=split,
        checksum=attributes["data_sha256"],
        attributes=attributes,
        options={"extensions": tuple(extensions)} if extensions else {},
    )
