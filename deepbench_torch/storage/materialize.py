"""materialize(): write a catalogue to disk, atomically."""

import errno
import shutil
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import fields
from pathlib import Path
from typing import Literal, NamedTuple

from deepbench_torch.datasets import LARGEST_SIZE, Catalogue
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.guard import check_guard
from deepbench_torch.numerics.checks import check_flag, check_integer
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.arguments import (
    check_executor,
    check_extensions,
    check_format,
    check_name,
    check_source,
)
from deepbench_torch.storage.collection import write_collection
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.escape import line
from deepbench_torch.storage.formats import DEFAULT, FORMATS, Format
from deepbench_torch.storage.group import Options
from deepbench_torch.storage.hdf5.shards import remove_other_shards
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.refusals import writing
from deepbench_torch.storage.replace import check_kept, find_existing, real_target, recover, replace
from deepbench_torch.storage.suffixes import check_suffix
from deepbench_torch.storage.work.atomic import folders, sync
from deepbench_torch.storage.work.chunks import row_bytes
from deepbench_torch.storage.work.folder import (
    begin_work,
    remove_other_work,
    work_folder,
    work_path,
)
from deepbench_torch.storage.work.job import Job, Order
from deepbench_torch.storage.work.lock import locked
from deepbench_torch.storage.work.progress import Bar
from deepbench_torch.storage.work.workers import Workers


def materialize(
    catalogue: Catalogue | Collection,
    path: str | Path,
    *,
    format: Format | None = None,  # noqa: A002
    workers: int = 0,
    executor: Executor | None = None,
    overwrite: bool = False,
    progress: bool = True,
    compression: Literal["gzip", "lzf"] | None = None,
    shard_rows: int | None = None,
    extensions: Sequence[str] = (),
) -> Path:
    """Write a catalogue to a file or a folder.

    "h5" writes one HDF5 file. The other formats write a folder: "npy" two arrays, "jpeg" and "fits"
    a file a row; beside them parameters.csv, recipe.yaml and metadata.json, from which `reproduce`
    makes the same rows again. A Collection is written as a folder of HDF5 files, which
    `Collection.open` reads.

    Without a format, HDF5 is written: to a name that ends in .h5 or .hdf5, in an ending that no
    other program claims (sky.v2), or in none. A name such as data.npy or data.zip is refused,
    because the other formats are folders and HDF5 is never written under the name of another.

    Files are written atomically: work is done in a hidden folder beside the path,
    `.NAME.<key>.partial`. If it is stopped in any way, the same call resumes with what was done,
    after checking it. The bytes do not depend on who makes the rows. If several processes request
    one path, one writes and the rest wait and return the path too.

    Only files that this package wrote are replaced, as their metadata prove. Files of others in a
    folder are kept, or the call is refused before anything changes. A symbolic link is followed:
    its target is replaced.

    A catalogue of more than a gibibyte is cut into shards, HDF5 files in a folder
    `NAME.<key>.shards` beside the file, which shows them as one. Move both together.

    Args:
        catalogue: Catalogue to write, or its split if it has one; or a Collection. It has no
            transforms.
        path: The file or folder; missing parents are created. An empty folder can be used.
        format: Name of the format; None for "h5".
        workers: Local processes that make the rows; 0 for this one.
        executor: Any `concurrent.futures.Executor` that generates the rows instead.
        overwrite: Whether a catalogue of that name may be replaced.
        progress: Whether to show a progress bar.
        compression: Only for "h5": None for one block that can be mapped into memory, else chunks
            of complete rows.
        shard_rows: Cut a catalogue of more rows into shards of so many, instead of by its size.
        extensions: Only for "fits": further images in each file, of "clean", the image without
            noise, "variance", that of the noise of each pixel, and "masks", a plane of each object
            in view.

    Returns:
        The absolute path.

    Raises:
        FileExistsError: If something exists there and may not be replaced.
        OSError: If it cannot be written.
        TypeError: If it is no catalogue.
        ValueError: If the catalogue has transforms, or the format is not known or not that of the
            name.

    Example:
        >>> import deepbench_torch as db, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> catalogue = db.Catalogue("star", size=5)
        >>> path = db.materialize(catalogue, folder.name + "/a.h5", progress=False)
        >>> len(db.StoredCatalogue(path))
        5
        >>> folder.cleanup()
    """
    check_guard("materialize")
    check_source(catalogue)
    check_name(path)
    check_executor(executor)
    overwrite = check_flag(overwrite, where="materialize.overwrite")
    progress = check_flag(progress, where="materialize.progress")
    path = user_path(path)
    if isinstance(catalogue, Collection):
        if format not in (None, DEFAULT) or shard_rows is not None:
            raise ValueError(
                f"a collection is written as {DEFAULT!r}, got {format!r}, {shard_rows!r}"
            )
        check_extensions(extensions, format=None, images=True)
        options = Options(workers, executor, overwrite, progress, compression)
        with writing(path, "the collection"):
            return write_collection(catalogue, path, write=materialize, options=options)
    check_format(format, workers=workers, compression=compression)
    images = catalogue.recipe.image_size is not None
    extensions = check_extensions(extensions, format=format, images=images)
    if shard_rows is not None:
        check_integer(shard_rows, "shard_rows must be None or positive", least=1, most=LARGEST_SIZE)
    check_suffix(path, format)
    with writing(path):
        target = real_target(path)
        order = Order(Metadata.of(catalogue), target, compression, shard_rows, extensions)
        task = Task(
            order, format or DEFAULT, workers, executor, overwrite=overwrite, quiet=not progress
        )
        _write_once(task)
    return path


class Task(NamedTuple):
    """The arguments of one call.

    Attributes:
        order: Metadata and path of the catalogue.
        format: Name of the format.
        workers: As in materialize.
        executor: As in materialize.
        overwrite: As in materialize.
        quiet: Whether to print nothing.
    """

    order: Order
    format: str
    workers: int
    executor: Executor | None
    overwrite: bool
    quiet: bool


def _write_once(task: Task) -> None:
    """Write a catalogue, unless another process writes the same one meanwhile."""
    target, metadata = task.order.path, task.order.metadata
    before = _age(target)
    _check_free(task)
    with folders(target.parent), locked(target, quiet=task.quiet):
        recover(target)
        if _age(target) != before and _holds(target, task):
            return
        _check_free(task)
        folder = work_path(target, metadata.key())
        shards = FORMATS[task.format].shards(task.order)
        _check_room(task.order, done=[folder] if shards is None else [folder, shards])
        with (
            work_folder(folder),
            Workers(task.workers, task.executor) as workers,
            Bar(
                total=len(metadata.rows),
                unit=metadata.recipe.content,
                disable=task.quiet,
                desc=line(target.name),
            ) as bar,
        ):
            order = task.order
            own = {field.name: getattr(order, field.name) for field in fields(order)}
            job = Job(**own, folder=folder, workers=workers, bar=bar)
            _write(job, task.format, shards=shards)


def _check_free(task: Task) -> None:
    """Refuse to replace what may not be replaced."""
    target = task.order.path
    existing = find_existing(target)
    if existing is not None and not existing.empty and not task.overwrite:
        raise _exists(target)
    check_kept(existing, target, folder=FORMATS[task.format].is_folder)


def _write(job: Job, format: str, *, shards: Path | None) -> None:  # noqa: A002
    """Write a catalogue in its work folder, give it its name, and remove what it replaces."""
    begin_work(job.folder, job.path)
    written = job.folder / "new.tmp"
    FORMATS[format].write(job, written)
    sync(written)
    replace(written, job.path, key=job.metadata.key())
    remove_other_shards(job.path, keep=shards)
    remove_other_work(job.path, keep=job.folder)


def _holds(path: Path, task: Task) -> bool:
    """Return whether a path holds these very rows in this format."""
    metadata, own = task.order.metadata, (task.format, task.order.extensions)
    try:
        stored = describe(path)
    except (OSError, ValueError):
        return False
    wanted = (metadata.recipe.digest, metadata.seed, metadata.size, metadata.split, *own)
    found = (stored.recipe.digest, stored.seed, stored.size, stored.split, stored.format)
    return wanted == (*found, stored.options.get("extensions", ()))


def _age(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from another of the same name; None if there is none."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_ino, stat.st_mtime_ns


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(
        f"{str(path)!r} exists; replace it with overwrite=True (--overwrite), choose another "
        "path, or open it with StoredCatalogue"
    )


def _check_room(order: Order, *, done: list[Path]) -> None:
    """Refuse a catalogue that the disk cannot take beside what is done of it, in some folders."""
    metadata = order.metadata
    needed = len(metadata.rows) * row_bytes(metadata.recipe) * (1 + len(order.extensions))
    files = (file for folder in done for file in folder.rglob("*") if file.is_file())
    existing = sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(done[0].parent).free + existing
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:,.1f} GB of data, {free / 1e9:,.1f} GB free")
