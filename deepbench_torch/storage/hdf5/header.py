"""Metadata of a stored catalogue in HDF5."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from deepbench_torch.datasets import Split, split_rows
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.numerics.row_numbers import check_seed
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.escape import line
from deepbench_torch.storage.metadata import FORMAT_VERSION
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust import (
    check_hdf5,
    check_metadata,
    inside,
    parse_recipe,
    regular_file,
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
        catalogue: The file that joins them.
        folder: The folder that they are in.
        rows: Number of rows in each shard but the last.
        offsets: Bytes before its data and its labels for each shard, -1 where they are compressed.
        checksums: The SHA-256 of each file but for its last line.
    """

    catalogue: Path
    folder: Path
    rows: int
    offsets: "np.ndarray[Any, np.dtype[np.int64]]"
    checksums: list[str]

    def path(self, number: int, rows: range) -> Path:
        """Return the file of a shard, by its number and all rows of the catalogue."""
        part = rows[number * self.rows : (number + 1) * self.rows]
        return self.folder / shard_name(part)

    def file(self, number: int, rows: range) -> Path:
        """Return the file of a shard, if it exists beside the catalogue.

        Raises:
            OSError: If the system refuses to look.
            ValueError: If it is missing, no file, or a link that leads elsewhere.
        """
        path = self.path(number, rows)
        inside(self.folder.parent, f"{self.folder.name}/{path.name}")
        regular_file(path, what=f"a shard of {str(self.catalogue)!r}")
        return path


def shard_name(rows: range) -> str:
    """Return the file name of a shard."""
    return f"{rows.start:012d}-{rows.stop:012d}.h5"


class Header(NamedTuple):
    """Metadata of a stored catalogue in HDF5."""

    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    rows: range
    attributes: dict[str, Any]
    data: Block
    label: Block
    shards: Shards | None
    compression: str | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of the shards, if any."""
        if self.shards is None:
            return ()
        numbers = range(len(self.shards.checksums))
        return tuple(self.shards.path(number, self.rows) for number in numbers)

    @property
    def mapped(self) -> bool:
        """Whether rows are read from memory that the file is mapped into."""
        if self.shards is not None:
            return bool((self.shards.offsets[:, 0] >= 0).all())
        return self.data.offset is not None


def read_header(path: str | Path) -> Header:
    """Read the metadata of a stored catalogue in HDF5.

    Raises:
        FileNotFoundError: If there is no file.
        OSError: If the system refuses to read it.
        ValueError: If it is not a catalogue of this package, not complete, or of another generator.
    """
    path = user_path(path)
    check_exists(path)
    with opened(path) as file:
        return _header(file, path)


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file to read, after checking that it reads nothing but itself.

    Every error until it is closed names the file.

    Raises:
        OSError: If the system refuses to read it.
        ValueError: If it is no file, not HDF5, or not to be trusted.
    """
    with reading(path), checked_file(path) as file:
        yield file


def checked_file(path: Path) -> h5py.File:
    """Return an open HDF5 file that reads nothing but itself; errors are those of `opened`."""
    regular_file(path)
    with reading(path):
        file = h5py.File(path, "r")
        try:
            check_hdf5(file, path)
        except BaseException:
            file.close()
            raise
        return file


def check_unlocked(path: Path) -> None:
    """Refuse a file that another program is writing, by the lock of HDF5.

    Its bytes change meanwhile, so they match no checksum.

    Raises:
        BlockingIOError: If it is locked.
    """
    if sys.platform == "win32" or os.environ.get("HDF5_USE_FILE_LOCKING", "").upper() == "FALSE":
        return
    import fcntl  # of Unix alone

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            return


def check_exists(path: Path) -> None:
    """Refuse a path that does not exist.

    Raises:
        FileNotFoundError: If it does not exist, or is a symbolic link to a missing file.
        OSError: If the system refuses to look.
    """
    with reading(path):
        try:
            path.stat()
            return
        except (FileNotFoundError, NotADirectoryError):
            pass
    if path.is_symlink():
        raise FileNotFoundError(
            f"{str(path)!r} is a symbolic link to {os.readlink(path)!r}, which does not exist; "
            "correct the link"
        )
    raise FileNotFoundError(
        f"there is no catalogue {str(path)!r}; write one with deepbench_torch.materialize or "
        "`deepbench-torch generate`"
    )


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
            f"is version {GENERATOR_VERSION} and generates other rows; write it again, or install "
            f"{line(str(attributes['package']))} to read it"
        )
    if attributes["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} is laid out by version {attributes['format_version']} of the format, "
            f"this package reads version {FORMAT_VERSION}; write it again, or install "
            f"{line(str(attributes['package']))} to read it"
        )
    if "shard" in attributes:
        raise ValueError(
            f"{str(path)!r} is one shard of a catalogue; open the file beside its folder instead"
        )
    check_metadata(attributes, path)
    recipe = parse_recipe(attributes["recipe"], source=f"the recipe in {str(path)!r}")
    split = None if attributes["split"] == "all" else attributes["split"]
    rows = split_rows(attributes["size"], split)
    shape = (len(rows), *recipe.shape)
    data, label = _block(file[recipe.content]), _block(file["label"])
    found = (data.shape, label.shape[:1], attributes["digest"])
    alike = found == (shape, (len(rows),), recipe.digest) and data.dtype == np.float32
    if not alike or not isinstance(attributes["seed"], int) or label.dtype.kind not in "if":
        raise ValueError(
            f"{str(path)!r} is damaged: its rows, labels and seed are not those that its "
            "recipe, size and digest require; write it again"
        )
    return Header(
        recipe=recipe,
        seed=check_seed(attributes["seed"]),
        size=attributes["size"],
        split=split,
        rows=rows,
        attributes=attributes,
        data=data,
        label=label,
        shards=_shards(file, path, rows=rows) if "shard_rows" in attributes else None,
        compression=file[recipe.content].compression,
    )


def _block(dataset: h5py.Dataset) -> Block:
    return Block(dataset.shape, dataset.dtype, dataset.id.get_offset())


def _shards(file: h5py.File, path: Path, *, rows: range) -> Shards:
    step = int(file.attrs["shard_rows"])
    offsets, checksums = file["shards/offset"][:], file["shards/seal"][:]
    count = -(-len(rows) // step)
    if offsets.shape != (count, 2) or len(checksums) != count:
        raise ValueError(f"its shards are not the {count} that its size requires")
    folder = inside(path.resolve().parent, str(file.attrs["shard_folder"]))
    return Shards(path, folder, step, offsets, [each.decode() for each in checksums])


def stored_bytes(path: str | Path, header: Header | None = None) -> int:
    """Return the size of a stored catalogue and its shards on disk [byte]."""
    path = user_path(path)
    header = header or read_header(path)
    return sum(file.stat().st_size for file in (path, *header.files))
