"""Parts: rows made a few mebibytes at a time, and kept on disk until their file is whole."""

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
BATCH = 256  # rows made at once
DIGEST = 32  # bytes of a SHA-256
ALIGNMENT = 64  # bytes
_FOREIGN = (ValueError, TypeError, LookupError, ArithmeticError)  # reading what is of another form

Array = np.ndarray[Any, np.dtype[Any]]


class Chunk(NamedTuple):
    """Some rows: the data (N, *recipe.shape) float32, and by its path everything beside it."""

    data: Array
    tables: dict[str, Array]


class Rows(NamedTuple):
    """Which rows to make, and where to keep them.

    Attributes:
        recipe: What they hold.
        seed: Their seed.
        rows: Their numbers.
        path: The file that they are kept in.
    """

    recipe: AbstractRecipe
    seed: int
    rows: range
    path: Path


def ranges(rows: range, step: int) -> Iterator[range]:
    """Rows in ranges of `step`, the last perhaps shorter."""
    return (rows[start : start + step] for start in range(0, len(rows), step))


def chunk_rows(recipe: AbstractRecipe) -> int:
    """How many rows a chunk has; it depends on the recipe alone."""
    return max(1, CHUNK_BYTES // row_bytes(recipe))


def row_bytes(recipe: AbstractRecipe) -> int:
    """The size of one row's data."""
    return math.prod(recipe.shape) * 4


def make_chunk(recipe: AbstractRecipe, seed: int, rows: range) -> Chunk:
    """Rows of a recipe; runs in any process."""
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
    """All rows in order, chunk by chunk; those that the folder has already are not made again.

    Args:
        recipe: What the rows hold.
        seed: Their seed.
        rows: Their numbers.
        folder: Where chunks are kept, for these rows alone; not used if there is only one chunk.
        workers: Who makes them.
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
    """Make rows and keep them in a file, unless it holds them whole; runs in any process."""
    if read_chunk(task.path) is None:
        write_chunk(make_chunk(task.recipe, task.seed, task.rows), task.path)
    return task.path


def write_chunk(chunk: Chunk, path: Path) -> None:
    """Keep a chunk in a file that begins with the SHA-256 of the rest.

    Then come a line with the name, dtype and shape of each array, and their bytes, each at a
    multiple of ALIGNMENT, so that a reader takes them where they lie.
    """
    arrays = {"": chunk.data, **chunk.tables}
    told = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    line = json.dumps(told).encode() + b"\n"
    pieces: list[Any] = [line.rjust(len(line) + _padding(DIGEST + len(line)))]
    for array in arrays.values():
        pieces += [np.ascontiguousarray(array).data, bytes(_padding(array.nbytes))]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    with replacing(path) as beside, beside.open("wb") as file:
        file.writelines([digest.digest(), *pieces])


def read_chunk(path: Path) -> Chunk | None:
    """The chunk in a file, or None if there is none, or none that is whole and of this form.

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
    # the tables are copied, so that who keeps them does not keep the data
    return Chunk(data, {name: array.copy() for name, array in arrays.items()})


def _arrays(content: bytes) -> Iterator[tuple[str, Array]]:
    """The arrays of a file that `write_chunk` wrote, by name, where they lie."""
    place = content.index(b"\n", DIGEST) + 1
    for name, dtype, shape in json.loads(content[DIGEST:place]):
        array = np.frombuffer(content, dtype, math.prod(shape), place).reshape(shape)
        yield name, array
        place += array.nbytes + _padding(array.nbytes)


def _padding(length: int) -> int:
    """How many bytes lie between some bytes and the next array."""
    return -length % ALIGNMENT


def _kept(path: Path) -> Chunk:
    chunk = read_chunk(path)
    if chunk is None:
        raise OSError(
            f"a worker wrote {path}, but here it is not to be read; workers and this process need "
            "one file system"
        )
    return chunk
