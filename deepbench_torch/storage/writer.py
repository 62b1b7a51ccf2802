"""materialize(): writing a catalogue to HDF5."""

import errno
import hashlib
import math
import os
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
import torch
from tqdm import tqdm

from deepbench_torch.arguments import whole
from deepbench_torch.datasets import Catalogue
from deepbench_torch.generate import GENERATOR_VERSION, generate
from deepbench_torch.recipes import AbstractRecipe

ROWS = 256  # rows made, handed over and written at once
AHEAD = 16  # parts that may be made before they are written, which bounds the memory
LICENCE = "CC0-1.0"  # the rows are nobody's work; the code that draws them is Apache-2.0


def materialize(
    catalogue: Catalogue,
    path: str | Path,
    *,
    format: Literal["h5"] | None = None,  # noqa: A002
    workers: int = 0,
    executor: Executor | None = None,
    overwrite: bool = False,
    progress: bool = True,
    compression: Literal["gzip", "lzf"] | None = None,
) -> Path:
    """Write a catalogue to an HDF5 file; transforms are not applied.

    The rows are written beside the final name, as `*.partial`, checked and then renamed, so a file
    of that name is always complete. Whatever makes the rows, they are the same bytes.

    Args:
        catalogue: What to write: all of it, or its split if it has one.
        path: The file; its folder is made if it is missing.
        format: "h5", as is None.
        workers: Local processes that make the rows; 0 for this one.
        executor: Where the rows are made instead, any `concurrent.futures.Executor`.
        overwrite: Whether a file of that name may be replaced.
        progress: Whether to show a progress bar.
        compression: None for one block that can be mapped into memory, else chunks of whole rows.

    Returns:
        The path.

    Raises:
        FileExistsError: If the file exists and may not be replaced.
        OSError: If it cannot be written; nothing is left behind.
        ValueError: If the format is not known.
    """
    path = Path(path).expanduser()
    _check_arguments(catalogue, path, format=format, workers=workers, compression=compression)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists; replace it with overwrite=True (--overwrite), choose another "
            "path, or open it with StoredCatalogue"
        )
    with _folders(path.parent), _partial(path) as partial, _pool(workers, executor) as pool:
        _check_room(catalogue, path.parent)
        parts = _parts(catalogue, pool)
        total = len(catalogue)
        with tqdm(
            total=total, unit=catalogue.recipe.content, disable=not progress, desc=path.name
        ) as bar:
            _write(catalogue, partial, parts, bar, compression)
        _check(partial, catalogue)
    return path


def _check_arguments(
    catalogue: object,
    path: Path,
    *,
    format: object,  # noqa: A002
    workers: int,
    compression: object,
) -> None:
    if not isinstance(catalogue, Catalogue):
        raise TypeError(f"materialize writes a Catalogue, got {type(catalogue).__name__}")
    if not path.name:
        raise ValueError(f"the path must name a file, got {str(path)!r}")
    if format not in (None, "h5"):
        raise ValueError(f"format must be 'h5', got {format!r}")
    if compression not in (None, "gzip", "lzf"):
        raise ValueError(f"compression must be None, 'gzip' or 'lzf', got {compression!r}")
    whole(workers, "workers must be 0 or a positive number of processes", least=0, most=1024)


def _check_room(catalogue: Catalogue, folder: Path) -> None:
    """Refuse a catalogue that the disk cannot take."""
    needed = len(catalogue) * math.prod(catalogue.recipe.shape) * 4
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:,.1f} GB of data, {free / 1e9:,.1f} GB free")


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """On any error take away what was made of a folder and those above it."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield
    except BaseException:
        for place in missing:
            with suppress(OSError):  # something else lies in it, or it was never made
                place.rmdir()
        raise


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, renamed to it in the end or removed on any error."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise type(error)(
            error.errno,
            f"cannot write the catalogue ({error.strerror or error}); "
            "choose a path in a folder that can be written and has room",
            str(path),
        ) from error
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)


@contextmanager
def _pool(workers: int, executor: Executor | None) -> Iterator[Executor | None]:
    """The executor given, or a local one of some processes, or none."""
    if executor is not None or workers == 0:
        yield executor
        return
    # forkserver, not fork: torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield pool


class _Part(NamedTuple):
    """Some rows as arrays by their place in the file."""

    data: np.ndarray[Any, np.dtype[np.float32]]
    tables: dict[str, np.ndarray[Any, Any]]


def _parts(catalogue: Catalogue, pool: Executor | None) -> Iterator[_Part]:
    """All rows in order, made here or in a pool."""
    recipe, seed, rows = catalogue.recipe, catalogue.seed, catalogue.rows
    ranges = (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))
    if pool is None:
        yield from (make_part(recipe, seed, part) for part in ranges)
        return
    pending: deque[Future[_Part]] = deque()
    for part in ranges:
        pending.append(pool.submit(make_part, recipe, seed, part))
        if len(pending) >= AHEAD:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def make_part(recipe: AbstractRecipe, seed: int, rows: range) -> _Part:
    """Rows of a recipe; runs in any process."""
    sample = generate(recipe, seed, torch.arange(rows.start, rows.stop))
    tables = {path: table.numpy() for path, table in sample.tables().items()}
    return _Part(sample.data.numpy(), tables)


def _write(
    catalogue: Catalogue,
    partial: Path,
    parts: Iterator[_Part],
    bar: "tqdm[Any]",
    compression: str | None,
) -> None:
    digest = hashlib.sha256()
    with h5py.File(partial, "w") as file:
        first = next(parts)
        block = _create(file, first, catalogue, compression)
        place = 0
        for part in chain((first,), parts):
            count = len(part.data)
            block[place : place + count] = part.data
            for name, table in part.tables.items():
                file[name][place : place + count] = table
            digest.update(part.data.tobytes())
            place += count
            bar.update(count)
        _describe(file, catalogue, digest.hexdigest())
        file.flush()
    with partial.open("rb+") as written:
        os.fsync(written.fileno())


def _create(
    file: h5py.File, part: _Part, catalogue: Catalogue, compression: str | None
) -> h5py.Dataset:
    """Make every dataset at its full length, with its unit; the block of rows is returned."""
    rows, recipe = len(catalogue), catalogue.recipe
    chunk = None
    if compression is not None:
        chunk = (max(1, min(rows, (1 << 20) // part.data[0].nbytes)), *recipe.shape)
    block = file.create_dataset(
        recipe.content, (rows, *recipe.shape), np.float32, chunks=chunk, compression=compression
    )
    block.attrs.update(recipe.annotations)
    for path, table in part.tables.items():
        dataset = file.create_dataset(path, (rows, *table.shape[1:]), table.dtype)
        unit = recipe.unit(path)
        if unit is not None:
            dataset.attrs["unit"] = unit
    return block


def _describe(file: h5py.File, catalogue: Catalogue, sha256: str) -> None:
    """What the file holds and how to make it again; `complete` comes last."""
    file.attrs.update(
        {
            "recipe": catalogue.recipe.to_yaml(),
            "digest": catalogue.recipe.digest,
            "classes": catalogue.classes,
            "seed": catalogue.seed,
            "size": catalogue.size,
            "split": catalogue.split or "all",
            "package": f"deepbench_torch {version('deepbench_torch')}",
            "generator_version": GENERATOR_VERSION,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "licence": LICENCE,
            "sha256": sha256,
            "complete": True,
        }
    )


def _check(partial: Path, catalogue: Catalogue) -> None:
    """Refuse a file that the disk did not take whole."""
    with h5py.File(partial, "r") as file:
        written = len(file[catalogue.recipe.content])
        if not file.attrs["complete"] or written != len(catalogue):
            raise OSError(f"{partial} was not written whole")
