"""What a stored catalogue says of itself, whatever its format."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from deepbench_torch.datasets import Catalogue, Split, split_rows
from deepbench_torch.generate import GENERATOR_VERSION, checked_seed
from deepbench_torch.paths import entries, files_in, user_path
from deepbench_torch.recipes import AbstractRecipe, recipe_from_plain
from deepbench_torch.recipes.text import read_yaml
from deepbench_torch.storage.folder import LABELS, METADATA, RECIPE, sha256
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.header import read_header, stored_bytes


class Description(NamedTuple):
    """What a stored catalogue of any format says of itself.

    Attributes:
        path: The file or folder.
        format: "h5", "npy", "jpeg" or "fits".
        recipe: What the rows hold.
        seed: Their seed.
        size: How many rows the catalogue has before splitting.
        split: Which of them it is; None for all.
        facts: All that it says, by name.
        options: The arguments of `materialize` that it was written with.
        bytes: Its size on disk.
    """

    path: Path
    format: str
    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    facts: dict[str, Any]
    options: dict[str, Any]
    bytes: int

    @property
    def rows(self) -> range:
        """The numbers of its rows."""
        return split_rows(self.size, self.split)

    def catalogue(self, *, size: int | None = None) -> Catalogue:
        """The catalogue that it was written from, or one of another size."""
        return Catalogue(self.recipe, size=size or self.size, seed=self.seed, split=self.split)


def describe(path: str | Path) -> Description:
    """What a stored catalogue says of itself; a folder that holds one catalogue stands for it.

    Raises:
        FileNotFoundError: If there is nothing at the path, or a folder that holds no catalogue.
        ValueError: If it is damaged, none of ours, or of another generator.
    """
    path = user_path(path)
    if path.is_dir() and not (path / METADATA).is_file():
        path = _only_catalogue(path)
    if path.is_dir():
        return _describe_folder(path)
    header = read_header(path)
    with h5py.File(path, "r") as file:
        compression = None if header.shards else file[header.recipe.content].compression
    options = {
        "compression": compression,
        "shard_rows": None if header.shards is None else header.shards.rows,
    }
    return Description(
        path=path,
        format="h5",
        recipe=header.recipe,
        seed=header.seed,
        size=header.size,
        split=header.split,
        facts=header.attributes,
        options=options,
        bytes=stored_bytes(path, header),
    )


def verified_folder(path: str | Path) -> Description:
    """What a folder says of itself, after checking the files that it has checksums of.

    Those are all but the JPEG and FITS files, of which it is checked that they are there; their
    pixels `reproduce` compares.

    Raises:
        FileNotFoundError: If it holds no catalogue.
        ValueError: If a file is missing or not as it was written.
    """
    told = describe(path)
    for name, expected in told.facts["files"].items():
        file = told.path / Path(name).name
        if not file.is_file() or sha256(file) != expected:
            fault = "not as it was written" if file.is_file() else "missing"
            raise ValueError(
                f"{str(file)!r} is {fault}, by its checksum; write the catalogue again"
            )
    if (told.path / LABELS).is_file():
        with (told.path / LABELS).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if not (told.path / row["file"]).is_file():
                    raise ValueError(
                        f"{str(told.path / row['file'])!r} is missing; write the catalogue again"
                    )
    return told


def _only_catalogue(folder: Path) -> Path:
    """The one catalogue that was written into a folder."""
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
    recipe = recipe_from_plain(read_yaml(path / RECIPE), source=str(path / RECIPE))
    try:
        facts = json.loads((path / METADATA).read_text(encoding="utf-8"))
        described = _from_facts(path, recipe, facts)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if str(path) in str(error):
            raise
        raise ValueError(
            f"{str(path / METADATA)!r} is damaged ({type(error).__name__}: {error}); write the "
            "catalogue again"
        ) from None
    return described


def _from_facts(path: Path, recipe: AbstractRecipe, facts: dict[str, Any]) -> Description:
    if facts["generator_version"] != GENERATOR_VERSION:
        raise ValueError(
            f"{str(path)!r} was made by generator version {facts['generator_version']}, this is "
            f"version {GENERATOR_VERSION} and draws otherwise; write it again, or install "
            f"{facts['package']}"
        )
    if facts["digest"] != recipe.digest:
        raise ValueError(
            f"{str(path / RECIPE)!r} is not the recipe that the catalogue was made by: its digest "
            f"is {recipe.digest:.12}, that in {METADATA} {facts['digest']:.12}; put it back"
        )
    split = None if facts["split"] == "all" else facts["split"]
    if facts["format"] not in FORMATS or len(split_rows(facts["size"], split)) != facts["rows"]:
        raise ValueError(f"its format is {facts['format']!r} and its rows are {facts['rows']!r}")
    return Description(
        path=path,
        format=facts["format"],
        recipe=recipe,
        seed=checked_seed(facts["seed"]),
        size=facts["size"],
        split=split,
        facts=facts,
        options={},
        bytes=sum(file.stat().st_size for file in files_in(path) if file.is_file()),
    )
