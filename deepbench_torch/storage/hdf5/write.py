"""Write rows to one HDF5 file; the bytes depend on the rows only."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage.hdf5.checksum import append_checksum
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.work.atomic import reserve
from deepbench_torch.storage.work.chunks import Array, Chunk

CHUNK_BYTES = 1 << 20  # of a compressed chunk, at most
TABLE_BYTES = 1 << 24  # of tables gathered before they are written


class Written(NamedTuple):
    """Checksums of a file, in hexadecimal.

    Attributes:
        checksum: SHA-256 of the file.
        sha256: SHA-256 of its block of rows.
        tables_sha256: SHA-256 of all tables: see `Sums`.
    """

    checksum: str
    sha256: str
    tables_sha256: str


class Sums:
    """Checksums of rows, updated chunk by chunk.

    The checksum of the tables is the SHA-256 of one line for each, sorted by path: its path and
    the SHA-256 of its bytes.
    """

    def __init__(self) -> None:
        self._data = hashlib.sha256()
        self._tables: dict[str, Any] = {}

    def update(self, chunk: Chunk) -> None:
        """Add the next rows."""
        self.update_data(chunk.data)
        self.update_tables(chunk.tables)

    def update_data(self, data: Array) -> None:
        """Add the data of the next rows."""
        self._data.update(np.ascontiguousarray(data).data)

    def update_tables(self, tables: dict[str, Array]) -> None:
        """Add the tables of the next rows."""
        for path, table in tables.items():
            self._tables.setdefault(path, hashlib.sha256()).update(table.tobytes())

    def data(self) -> str:
        """Return the SHA-256 of the block of rows."""
        return self._data.hexdigest()

    def tables(self) -> str:
        """Return the SHA-256 of all tables."""
        lines = (f"{path} {self._tables[path].hexdigest()}\n" for path in sorted(self._tables))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_file(
    metadata: Metadata,
    path: Path,
    *,
    chunks: Iterator[Chunk],
    compression: str | None,
    also: dict[str, Any] | None = None,
) -> Written:
    """Write rows to a new file.

    Args:
        metadata: Metadata of the file.
        path: The file.
        chunks: Chunks of its rows, in order.
        compression: None for one block that can be mapped into memory, else HDF5 chunks of rows.
        also: Further attributes of the file.

    Returns:
        Its checksums.
    """
    sums, rows = Sums(), len(metadata.rows)
    first = next(chunks)
    each = sum(array[:1].nbytes for array in (first.data, *first.tables.values()))
    reserve(path, rows * each + (1 << 20))
    with creating(path) as file:
        block = create(file, first, metadata, compression=compression)
        tables = _Tables(file, sums)
        offset = 0
        for chunk in chain((first,), chunks):
            end = offset + len(chunk.data)
            block[offset:end] = chunk.data
            sums.update_data(chunk.data)
            tables.add(chunk.tables)
            offset = end
        tables.write()
        if offset != rows:
            raise ValueError(f"{str(path)!r} was to have {rows} rows, but got {offset}")
        file.attrs.update(metadata.attributes() | (also or {}))
        file.attrs.update({"sha256": sums.data(), "tables_sha256": sums.tables(), "complete": True})
    return Written(append_checksum(path), sums.data(), sums.tables())


class _Tables:
    """Tables of a file, collected and written some mebibytes at a time.

    One call of HDF5 costs far more than the few rows of one chunk.
    """

    def __init__(self, file: h5py.File, sums: Sums) -> None:
        self._file = file
        self._sums = sums
        self._gathered: list[dict[str, Array]] = []
        self._bytes = 0
        self._offset = 0

    def add(self, tables: dict[str, Array]) -> None:
        """Add the tables of the next rows."""
        self._gathered.append(tables)
        self._bytes += sum(table.nbytes for table in tables.values())
        if self._bytes >= TABLE_BYTES:
            self.write()

    def write(self) -> None:
        """Write the collected tables."""
        if not self._gathered:
            return
        tables = {
            name: np.concatenate([each[name] for each in self._gathered])
            for name in self._gathered[0]
        }
        end = self._offset + len(next(iter(tables.values())))
        for name, table in tables.items():
            self._file[name][self._offset : end] = table
        self._sums.update_tables(tables)
        self._gathered, self._bytes, self._offset = [], 0, end


@contextmanager
def creating(path: Path) -> Iterator[h5py.File]:
    """Provide a new HDF5 file and close it in the end.

    Raises:
        OSError: With the number and the words of the system, instead of those of HDF5.
    """
    try:
        with h5py.File(path, "w") as file:
            yield file
    except (OSError, RuntimeError) as error:
        found = re.search(r"errno = (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def create(
    file: h5py.File, chunk: Chunk, metadata: Metadata, *, compression: str | None
) -> h5py.Dataset:
    """Create every dataset at its full length, and return the block of rows."""
    rows, recipe = len(metadata.rows), metadata.recipe
    h5_chunk = None
    if compression is not None:
        h5_chunk = (max(1, min(rows, CHUNK_BYTES // chunk.data[0].nbytes)), *recipe.shape)
    block = file.create_dataset(
        recipe.content, (rows, *recipe.shape), np.float32, chunks=h5_chunk, compression=compression
    )
    for path, table in chunk.tables.items():
        file.create_dataset(path, (rows, *table.shape[1:]), table.dtype)
    annotate(file, recipe, list(chunk.tables))
    return block


def annotate(file: h5py.File, recipe: AbstractRecipe, tables: list[str]) -> None:
    """Write the attributes of the block of rows and the unit of each table."""
    file[recipe.content].attrs.update(recipe.attributes)
    for path in tables:
        unit = recipe.unit(path)
        if unit is not None:
            file[path].attrs["unit"] = unit
