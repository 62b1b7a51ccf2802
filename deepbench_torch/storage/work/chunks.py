"""Chunks: a few mebibytes of rows, kept on disk until the catalogue is complete."""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from deepbench_torch.generate import generate
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage.work.atomic import replacing
from deepbench_torch.storage.work.workers import Workers

CHUNK_BYTES = 1 << 22  # of data in a chunk; what a kill can cost each worker
BATCH = 256  # rows generated in one batch
DIGEST = 32  # bytes of a SHA-256
ALIGNMENT = 64  # bytes
_FOREIGN = (ValueError, TypeError, LookupError, ArithmeticError)  # reading what is of another form

Array = np.ndarray[Any, np.dtype[Any]]


class Chunk(NamedTuple):
    """Rows: their data (N, *recipe.shape) float32, and their tables by path."""

    data: Array
    tables: dict[str, Array]


class Rows(NamedTuple):
    """Rows to generate, and the file that they are kept in.

    Attributes:
        recipe: Their recipe.
        seed: Their seed.
        rows: Row numbers.
        path: The file that they are kept in.
    """

    recipe: AbstractRecipe
    seed: int
    rows: range
    path: Path


def ranges(rows: range, step: int) -> Iterator[range]:
    """Split rows into ranges of `step`; the last may be shorter."""
    return (rows[start : start + step] for start in range(0, len(rows), step))


def chunk_rows(recipe: AbstractRecipe) -> int:
    """Return the rows of a chunk, which depend on the recipe only."""
    return max(1, CHUNK_BYTES // row_bytes(recipe))


def row_bytes(recipe: AbstractRecipe) -> int:
    """Return the size of the data of one row [byte]."""
    return math.prod(recipe.shape) * 4


def make_chunk(recipe: AbstractRecipe, seed: int, rows: range) -> Chunk:
    """Generate rows of a recipe; runs in any process."""
    samples = [
        generate(
            recipe, seed, torch.arange(chunk.start, chunk.stop, dtype=torch.int64, device="cpu")
        )
        for chunk in ranges(rows, BATCH)
    ]
    tables = [sample.tables() for sample in samples]
    return Chunk(
        np.concatenate([sample.data.numpy() for sample in samples]),
        {path: np.concatenate([each[path].numpy() for each in tables]) for path in tables[0]},
    )


def all_chunks(
    recipe: AbstractRecipe, seed: int, rows: range, *, folder: Path, workers: Workers
) -> Iterator[Chunk]:
    """Yield all rows in order by chunks; chunks in the folder are not made again.

    Args:
        recipe: Recipe of the rows.
        seed: Their seed.
        rows: Row numbers.
        folder: Where chunks are kept, for these rows alone; not used if there is only one chunk.
        workers: Workers that generate them.
    """
    step = chunk_rows(recipe)
    if len(rows) <= step:
        yield from workers.in_order(_make, [(recipe, seed, rows)])
        return
    folder.mkdir(parents=True, exist_ok=True)
    tasks = (
        Rows(recipe, seed, chunk, folder / f"{chunk.start}-{chunk.stop}.part")
        for chunk in ranges(rows, step)
    )
    for path in workers.in_order(keep_chunk, tasks):
        yield _kept(path)


def _make(rows: tuple[AbstractRecipe, int, range]) -> Chunk:
    return make_chunk(*rows)


def keep_chunk(task: Rows) -> Path:
    """Generate rows into a file, unless it holds them complete; runs in any process."""
    if read_chunk(task.path) is None:
        write_chunk(make_chunk(task.recipe, task.seed, task.rows), task.path)
    return task.path


def write_chunk(chunk: Chunk, path: Path) -> None:
    """Write a chunk to a file that begins with the SHA-256 of the rest.

    A line with the name, dtype and shape of each array follows, then their bytes. Each array
    begins at a multiple of ALIGNMENT, so that a reader needs no copy.
    """
    arrays = {"": chunk.data, **chunk.tables}
    header = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    line = json.dumps(header).encode() + b"\n"
    pieces: list[Any] = [line.rjust(len(line) + _padding(DIGEST + len(line)))]
    for array in arrays.values():
        pieces += [np.ascontiguousarray(array).data, bytes(_padding(array.nbytes))]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    with replacing(path) as beside, beside.open("wb") as file:
        file.writelines([digest.digest(), *pieces])


def read_chunk(path: Path) -> Chunk | None:
    """Return the chunk in a file; None if it is missing, incomplete or of another version.

    Its data is read-only.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(memoryview(content)[DIGEST:]).digest() != content[:DIGEST]:
        return None
    try:
        arrays = dict(_arrays(content))
        data = arrays.pop("")
    except _FOREIGN:  # of another version of this package
        return None
    # copies, so that tables that are kept do not keep the data in memory
    return Chunk(data, {name: array.copy() for name, array in arrays.items()})


def _arrays(content: bytes) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a file that `write_chunk` wrote, by name, without a copy."""
    offset = content.index(b"\n", DIGEST) + 1
    for name, dtype, shape in json.loads(content[DIGEST:offset]):
        array = np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape)
        yield name, array
        offset += array.nbytes + _padding(array.nbytes)


def _padding(length: int) -> int:
    """Return the number of bytes between an array and the next."""
    return -length % ALIGNMENT


def _kept(path: Path) -> Chunk:
    chunk = read_chunk(path)
    if chunk is None:
        raise OSError(
            f"a worker wrote {path}, but here it is not to be read; workers and this process need "
            "one file system"
        )
    return chunk
