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
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.recipe import recipe_from_plain


class Header(NamedTuple):
    """What a stored catalogue says of itself."""

    recipe: Recipe
    seed: int
    size: int
    split: Split | None
    rows: range
    attributes: dict[str, Any]
    image_offset: int | None  # bytes before the image block, None if it is compressed


def read_header(path: str | Path) -> Header:
    """What a stored catalogue says of itself.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is not a catalogue of this package, not complete, or of another generator.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no catalogue {str(path)!r}; write one with deepbench_torch.materialize or "
            "`deepbench-torch generate`"
        )
    try:
        with h5py.File(path, "r") as file:
            return _header(file, path)
    except (OSError, KeyError, RuntimeError) as error:
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
    return Header(
        recipe=recipe,
        seed=attributes["seed"],
        size=attributes["size"],
        split=split,
        rows=split_rows(attributes["size"], split),
        attributes=attributes,
        image_offset=file["image"].id.get_offset(),
    )
