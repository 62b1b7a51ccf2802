"""What a stored catalogue says of itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import yaml

from deepbench_torch.datasets import Split, split_rows
from deepbench_torch.generate import GENERATOR_VERSION, checked_seed
from deepbench_torch.recipes import AbstractRecipe, recipe_from_plain
from deepbench_torch.storage.contents import FORMAT_VERSION

# what h5py, yaml and Python raise on a file that only looks like ours
_FOREIGN = (
    OSError,
    LookupError,
    RuntimeError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    yaml.YAMLError,
)


class Block(NamedTuple):
    """A dataset of a file.

    Attributes:
        shape: Its shape; rows come first.
        dtype: Its type.
        offset: Bytes before it in the file; None if it cannot be mapped into memory.
    """

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    offset: int | None


class Shards(NamedTuple):
    """The shards of a large catalogue.

    Attributes:
        folder: The folder that they are in.
        rows: How many rows each but the last has.
        offsets: Bytes before its data and its labels for each shard, -1 where they are compressed.
        seals: The SHA-256 of each file but for its last line.
    """

    folder: Path
    rows: int
    offsets: "np.ndarray[Any, np.dtype[np.int64]]"
    seals: list[str]

    def path(self, number: int, rows: range) -> Path:
        """The file of a shard of a catalogue of some rows."""
        part = rows[number * self.rows : (number + 1) * self.rows]
        return self.folder / shard_name(part)


def shard_name(rows: range) -> str:
    """The name of a shard's file."""
    return f"{rows.start:012d}-{rows.stop:012d}.h5"


class Header(NamedTuple):
    """What a stored catalogue says of itself."""

    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    rows: range
    attributes: dict[str, Any]
    data: Block
    label: Block
    shards: Shards | None

    @property
    def mapped(self) -> bool:
        """Whether rows are read from memory that the file is mapped into."""
        if self.shards is not None:
            return bool((self.shards.offsets[:, 0] >= 0).all())
        return self.data.offset is not None


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
    with reading(path), h5py.File(path, "r") as file:
        return _header(file, path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever goes wrong in reading a file, a ValueError that names it."""
    try:
        yield
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{str(path)!r} is damaged: {error}; write it again") from error
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
    if attributes["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} is laid out by version {attributes['format_version']} of the format, "
            f"this package reads version {FORMAT_VERSION}; write it again, or install "
            f"{attributes['package']} to read it"
        )
    recipe = recipe_from_plain(
        yaml.safe_load(attributes["recipe"]), source=f"the recipe in {str(path)!r}"
    )
    if "shard" in attributes:
        raise ValueError(
            f"{str(path)!r} is one shard of a catalogue; open the file beside its folder instead"
        )
    split = None if attributes["split"] == "all" else attributes["split"]
    rows = split_rows(attributes["size"], split)
    shape = (len(rows), *recipe.shape)
    data, label = _block(file[recipe.content]), _block(file["label"])
    found = (data.shape, label.shape[:1], attributes["digest"])
    alike = found == (shape, (len(rows),), recipe.digest) and data.dtype == np.float32
    if not alike or not isinstance(attributes["seed"], int) or label.dtype.kind not in "if":
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
        data=data,
        label=label,
        shards=_shards(file, path, rows) if "shard_rows" in attributes else None,
    )


def _block(dataset: h5py.Dataset) -> Block:
    return Block(dataset.shape, dataset.dtype, dataset.id.get_offset())


def _shards(file: h5py.File, path: Path, rows: range) -> Shards:
    step = int(file.attrs["shard_rows"])
    offsets, seals = file["shards/offset"][:], file["shards/seal"][:]
    count = -(-len(rows) // step)
    if offsets.shape != (count, 2) or len(seals) != count:
        raise ValueError(f"its shards are not the {count} that its size tells of")
    folder = path.parent / Path(str(file.attrs["shard_folder"])).name
    return Shards(folder, step, offsets, [each.decode() for each in seals])


def is_file_name(path: Path) -> bool:
    """Whether a path names a file rather than a folder, by its ending."""
    return path.suffix.lower() in (".h5", ".hdf5")


def stored_bytes(path: str | Path, header: Header | None = None) -> int:
    """The size on disk of a stored catalogue with its shards."""
    path = Path(path).expanduser()
    header = header or read_header(path)
    files = [path]
    if header.shards is not None:
        numbers = range(len(header.shards.seals))
        files += [header.shards.path(number, header.rows) for number in numbers]
    return sum(file.stat().st_size for file in files)
