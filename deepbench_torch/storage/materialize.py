"""materialize(): writing a catalogue to disk, whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

from deepbench_torch.arguments import whole
from deepbench_torch.datasets import LARGEST_SIZE, Catalogue
from deepbench_torch.storage.contents import Contents
from deepbench_torch.storage.crew import Crew
from deepbench_torch.storage.described import describe
from deepbench_torch.storage.folder import METADATA
from deepbench_torch.storage.formats import FORMATS, Format
from deepbench_torch.storage.group import Group, Options
from deepbench_torch.storage.job import Job, Order
from deepbench_torch.storage.lock import locked
from deepbench_torch.storage.parts import row_bytes
from deepbench_torch.storage.progress import Bar
from deepbench_torch.storage.shards import remove_other_shards, shard_folder
from deepbench_torch.storage.whole import folders, sync, work_folder


def materialize(
    catalogue: Catalogue | Group,
    path: str | Path,
    *,
    format: Format | None = None,  # noqa: A002
    workers: int = 0,
    executor: Executor | None = None,
    overwrite: bool = False,
    progress: bool = True,
    compression: Literal["gzip", "lzf"] | None = None,
    shard_rows: int | None = None,
) -> Path:
    """Write a catalogue to a file or a folder; transforms are not applied.

    "h5" gives one HDF5 file, which StoredCatalogue reads. The other formats give a folder: "npy"
    two arrays, "jpeg" and "fits" a file a row; beside them parameters.csv, recipe.yaml and
    metadata.json, of which `reproduce` makes the same rows again.

    A Collection gives a folder of HDF5 files, which `Collection.open` reads.

    A file of the final name is always whole: work goes on in a hidden folder beside it,
    `.NAME.<key>.partial`. If it is stopped in any way, the same call goes on with what was done,
    after checking it. Whatever makes the rows, the file is the same bytes. Of several processes
    that call at once one writes, and the others wait and return the path too.

    A catalogue of more than a gibibyte is cut into shards, HDF5 files in a folder
    `NAME.<key>.shards` beside the file, which shows them as one. Move both together.

    Args:
        catalogue: What to write: all of it, or its split if it has one; or a Collection.
        path: The file or folder; the folder that it is in is made if it is missing.
        format: "h5", as is None, "npy", "jpeg" or "fits".
        workers: Local processes that make the rows; 0 for this one.
        executor: Where the rows are made instead, any `concurrent.futures.Executor`.
        overwrite: Whether a file of that name may be replaced.
        progress: Whether to show a progress bar.
        compression: Of "h5": None for one block that can be mapped into memory, else chunks of
            whole rows.
        shard_rows: Cut a catalogue of more rows into shards of so many, instead of by its size.

    Returns:
        The path.

    Raises:
        FileExistsError: If the file exists and may not be replaced.
        OSError: If it cannot be written.
        ValueError: If the format is not known.
    """
    path = Path(path).expanduser()
    if isinstance(catalogue, Group):
        if format not in (None, "h5") or shard_rows is not None:
            raise ValueError(f"a collection is written as 'h5', got {format!r}, {shard_rows!r}")
        options = Options(workers, executor, overwrite, progress, compression)
        return catalogue.store(path, options=options)
    _check_arguments(catalogue, path, format=format, workers=workers, compression=compression)
    if shard_rows is not None:
        whole(shard_rows, "shard_rows must be None or positive", least=1, most=LARGEST_SIZE)
    before = _age(path)
    if path.is_dir() and not (path / METADATA).is_file():
        raise FileExistsError(
            f"{str(path)!r} is a folder that holds no catalogue, so it is not replaced; choose "
            "another path"
        )
    if before is not None and not overwrite:
        raise _exists(path)
    contents, target = Contents.of(catalogue), path.absolute()
    folder = target.with_name(f".{path.name}.{contents.key()}.partial")
    total, unit = len(contents.rows), contents.recipe.content
    with _explained(path), folders(path.parent), locked(target, quiet=not progress):
        if _age(path) != before:  # another process has written it meanwhile
            if _holds(path, contents, format=format or "h5"):
                return path
            if not overwrite:
                raise _exists(path)
        order = Order(contents, target, compression, shard_rows)
        shards = shard_folder(order) if format in (None, "h5") else None
        _check_room(contents, done=[folder] if shards is None else [folder, shards])
        with (
            work_folder(folder),
            Crew(workers, executor) as crew,
            Bar(total=total, unit=unit, disable=not progress, desc=path.name) as bar,
        ):
            job = Job(contents, target, compression, shard_rows, folder, crew, bar)
            _write(job, format, shards=shards)
    return path


def _write(job: Job, format: str | None, *, shards: Path | None) -> None:  # noqa: A002
    """Write a catalogue in its folder, give it its name, and take away what it replaces."""
    job.folder.mkdir(exist_ok=True)
    written = job.folder / f"{job.path.name}.tmp"
    FORMATS[format or "h5"].write(job, written)
    sync(written)
    _give_name(written, job)
    remove_other_shards(job.path, keep=shards)
    for left in job.path.parent.glob(f".{job.path.name}.{'[0-9a-f]' * 12}.partial"):
        if left != job.folder:
            shutil.rmtree(left, ignore_errors=True)


def _holds(path: Path, contents: Contents, *, format: Format) -> bool:  # noqa: A002
    """Whether a path holds these very rows in this format."""
    try:
        told = describe(path)
    except (OSError, ValueError):
        return False
    mine = (contents.recipe.digest, contents.seed, contents.size, contents.split, format)
    return mine == (told.recipe.digest, told.seed, told.size, told.split, told.format)


def _give_name(written: Path, job: Job) -> None:
    """Put what was written in the place of what is there; of folders, the system does so in two."""
    if job.path.is_dir() or (job.path.exists() and written.is_dir()):
        aside = job.folder / f"{uuid4().hex}.tmp"
        os.replace(job.path, aside)
    os.replace(written, job.path)


def _age(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None if there is none."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_ino, stat.st_mtime_ns


def _check_arguments(
    catalogue: object,
    path: Path,
    *,
    format: object,  # noqa: A002
    workers: int,
    compression: object,
) -> None:
    if not isinstance(catalogue, Catalogue):
        raise TypeError(
            f"materialize writes a Catalogue or a Collection, got {type(catalogue).__name__}"
        )
    if not path.name:
        raise ValueError(f"the path must name a file, got {str(path)!r}")
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be {' or '.join(map(repr, FORMATS))}, got {format!r}")
    if compression is not None and format not in (None, "h5"):
        raise ValueError(f"compression goes with format 'h5', got {compression!r} and {format!r}")
    if compression not in (None, "gzip", "lzf"):
        raise ValueError(f"compression must be None, 'gzip' or 'lzf', got {compression!r}")
    whole(workers, "workers must be 0 or a positive number of processes", least=0, most=1024)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(
        f"{str(path)!r} exists; replace it with overwrite=True (--overwrite), choose another "
        "path, or open it with StoredCatalogue"
    )


def _check_room(contents: Contents, *, done: list[Path]) -> None:
    """Refuse a catalogue that the disk cannot take beside what is done of it, in some folders."""
    needed = len(contents.rows) * row_bytes(contents.recipe)
    files = (file for folder in done for file in folder.rglob("*") if file.is_file())
    there = sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(done[0].parent).free + there
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:,.1f} GB of data, {free / 1e9:,.1f} GB free")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of an error of the system what was tried and what to do."""
    try:
        yield
    except OSError as error:
        raise type(error)(
            error.errno,
            f"cannot write the catalogue ({error.strerror or error}); "
            "choose a path in a folder that can be written and has room",
            str(path),
        ) from error
