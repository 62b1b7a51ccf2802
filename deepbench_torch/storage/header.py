"""What a stored catalogue says of itself."""

from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import yaml

from deepbench_torch.datasets import (
    Split,
    split_rows,
)
from deepbench_torch.generate import GENERATOR_VERSION, checked_seed
from deepbench_torch.recipes import AbstractRecipe, recipe_from_plain

# what h5py, yaml and Python raise on a file that only looks like ours
_FOREIGN = (OSError, KeyError, RuntimeError, TypeError, AttributeError, yaml.YAMLError)


class Header(NamedTuple):
    """What a stored catalogue says of itself."""

    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    rows: range
    attributes: dict[str, Any]
    offset: int | None  # bytes before the block of rows, None if it is compressed


def read_header(path: str | Path) -> Header:
    """What a stored catalogue says of itself.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is not a catalogue of this package, not complete, or of another generator.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no catalogue {str(path)!r}; write one with deepbench_torch.materialize or "
            "`deepbench-torch generate`"
        )
    try:
        with h5py.File(path, "r") as file:
            return _header(file, path)
    except _FOREIGN as error:
        raise ValueError(
            f"{str(path)!r} is not a catalogue written by deepbench_torch ({error}); "
            "if it should be one, write it again"
        ) from error


def _header(file: h5py.File, path: Path) -> Header:
    attributes = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in file.attrs.items()
    }
    if not attributes["complete"]:
        raise ValueError(f"{str(path)!r} is not complete; delete it and write it again")
    if attributes["generator_version"] != GENERATOR_VERSION:
        raise ValueError(
            f"{str(path)!r} was made by generator version {attributes['generator_version']}, this "
            f"is version {GENERATOR_VERSION} and draws otherwise; write it again, or install "
            f"{attributes['package']} to read it"
        )
    recipe = recipe_from_plain(
        yaml.safe_load(attributes["recipe"]), source=f"the recipe in {str(path)!r}"
    )
    split = None if attributes["split"] == "all" else attributes["split"]
    rows = split_rows(attributes["size"], split)
    shape = (len(rows), *recipe.shape)
    block = file[recipe.content]
    found = (block.shape, block.dtype, len(file["label"]))
    alike = found == (shape, np.float32, len(rows)) and attributes["digest"] == recipe.digest
    if not alike or not isinstance(attributes["seed"], int):
        raise ValueError(
            f"{str(path)!r} is damaged: its rows, labels and seed are not those that its "
            "recipe, size and digest tell of; write it again"
        )
    return Header(
        recipe=recipe,
        seed=checked_seed(attributes["seed"]),
        size=attributes["size"],
        split=split,
        rows=rows,
        attributes=attributes,
        offset=block.id.get_offset(),
    )
