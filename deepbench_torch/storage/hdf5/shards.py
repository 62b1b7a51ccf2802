"""Shards: a large catalogue as a folder of HDF5 files and one small file that joins them."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from deepbench_torch.storage.hdf5.checksum import verify_checksum
from deepbench_torch.storage.hdf5.header import shard_name
from deepbench_torch.storage.hdf5.owned import is_own_file, own_shards, shard_folder_of
from deepbench_torch.storage.hdf5.write import annotate, creating, write_file
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.names import beside, keyed
from deepbench_torch.storage.work.atomic import replacing, sync
from deepbench_torch.storage.work.chunks import chunk_rows, make_chunk, ranges, row_bytes
from deepbench_torch.storage.work.job import Job, Order

# constants, so that a catalogue is cut the same way any process that writes it
SINGLE_BYTES = 1 << 30  # of data that one file holds, at most
SHARD_BYTES = 1 << 28  # of data in a shard otherwise


class ShardTask(NamedTuple):
    """Shard to write: its metadata, its file and its compression."""

    metadata: Metadata
    path: Path
    compression: str | None


class ShardRecord(NamedTuple):
    """Record of a shard in the file that joins all shards.

    Attributes:
        checksum: SHA-256 of the file.
        sha256: SHA-256 of its block of rows.
        tables_sha256: SHA-256 of its tables.
        offsets: Bytes before the block of rows and before the labels; -1 if that is compressed.
    """

    checksum: str
    sha256: str
    tables_sha256: str
    offsets: tuple[int, int]


def rows_in_shard(order: Order) -> int | None:
    """Return the rows of a shard, or None for a single file; workers do not change it."""
    rows, each = len(order.metadata.rows), row_bytes(order.metadata.recipe)
    if order.shard_rows is not None:
        return order.shard_rows if rows > order.shard_rows else None
    return max(1, SHARD_BYTES // each) if rows * each > SINGLE_BYTES else None


def shard_folder(order: Order) -> Path | None:
    """Return the folder of shards beside the file that joins them; None without shards."""
    step = rows_in_shard(order)
    if step is None:
        return None
    key = order.metadata.key(shard_rows=step, compression=order.compression)
    return beside(order.path, f".{key}.shards")


def write_shards(job: Job, path: Path, *, folder: Path, step: int) -> None:
    """Write all shards to their folder and the file that joins them to `path`."""
    work = folder if folder.is_dir() else job.folder / "shards"
    work.mkdir(parents=True, exist_ok=True)
    parts = list(ranges(job.metadata.rows, step))
    tasks = (
        ShardTask(job.metadata._replace(rows=part), work / shard_name(part), job.compression)
        for part in parts
    )
    records = []
    for part, record in zip(parts, job.workers.in_order(keep_shard, tasks), strict=True):
        records.append(record)
        job.bar.update(len(part))
    for part in parts:
        if not (work / shard_name(part)).is_file():
            raise OSError(
                f"a worker wrote {shard_name(part)}, but it is not in {work}; workers and this "
                "process need one file system"
            )
    for left in own_shards(work):
        if left.suffix == ".tmp":  # of workers that were killed
            left.unlink(missing_ok=True)
    if work != folder:
        os.replace(work, folder)
    _join(job, path, folder=folder, parts=parts, records=records)


def keep_shard(task: ShardTask) -> ShardRecord:
    """Write a shard, unless its file is complete; runs in any process."""
    metadata = task.metadata
    also = {
        "shard": [metadata.rows.start, metadata.rows.stop],
        "date": "",  # the joining file has one, and a job may take days
    }
    try:
        return read_shard(task.path, attributes=metadata.attributes() | also)
    except (OSError, ValueError, KeyError, RuntimeError):  # missing, damaged or another
        pass
    if os.path.lexists(task.path) and not is_own_file(task.path):
        raise FileExistsError(
            f"path: expected a shard of deepbench_torch to replace, got {str(task.path)!r}, which "
            "this package did not write; move it elsewhere"
        )
    chunks = (
        make_chunk(metadata.recipe, metadata.seed, rows)
        for rows in ranges(metadata.rows, chunk_rows(metadata.recipe))
    )
    with replacing(task.path) as beside:
        write_file(metadata, beside, chunks=chunks, compression=task.compression, also=also)
        sync(beside)
    return read_shard(task.path, attributes=metadata.attributes() | also)


def read_shard(path: Path, *, attributes: dict[str, Any]) -> ShardRecord:
    """Return the record of a shard, after checking its bytes and its attributes."""
    checksum = verify_checksum(path)
    with h5py.File(path, "r") as file:
        for name, value in attributes.items():
            if np.any(np.asarray(file.attrs[name]) != np.asarray(value)):
                raise ValueError(f"{str(path)!r} has another {name} than belongs here")
        label = file["label"]
        block = next(file[name] for name in ("image", "series") if name in file)
        offsets = [each.id.get_offset() for each in (block, label)]
        return ShardRecord(
            checksum,
            str(file.attrs["sha256"]),
            str(file.attrs["tables_sha256"]),
            (-1 if offsets[0] is None else offsets[0], -1 if offsets[1] is None else offsets[1]),
        )


def remove_other_shards(path: Path, *, keep: Path | None) -> None:
    """Remove the shards of an earlier catalogue of the same file name.

    Shards that another file joins, such as a copy or a renamed file, are kept; so is every file
    that is no shard of this package.
    """
    folders = [each for each in keyed(path, ".shards") if each.is_dir() and not each.is_symlink()]
    unused = [each for each in folders if each != keep]
    if unused:
        used = _joined_by_others(path)
        for folder in unused:
            if folder.name not in used:
                _remove_shards(folder)


def _joined_by_others(path: Path) -> set[str | None]:
    """Return the names of the folders of shards that other files beside a file join."""
    others = [each for each in path.parent.iterdir() if each.is_file() and each.name != path.name]
    return {shard_folder_of(each) for each in others}


def _remove_shards(folder: Path) -> None:
    """Remove the shards in a folder, and the folder if nothing else is in it."""
    with suppress(OSError):  # of another user: a later call of theirs removes them
        for shard in own_shards(folder):
            shard.unlink(missing_ok=True)
        folder.rmdir()


def _join(
    job: Job, path: Path, *, folder: Path, parts: list[range], records: list[ShardRecord]
) -> None:
    """Write the file that shows all shards as one catalogue, by paths relative to it."""
    metadata = job.metadata
    with h5py.File(folder / shard_name(parts[0]), "r") as first, creating(path) as file:
        tables: list[str] = []
        first.visititems(lambda name, item: _note(tables, name, item=item))
        for name in tables:
            shape, dtype = first[name].shape[1:], first[name].dtype
            layout = h5py.VirtualLayout((len(metadata.rows), *shape), dtype)
            layout.dcpl.set_obj_track_times(False)  # or no two files are alike
            for part in parts:
                offset = part.start - metadata.rows.start
                # HDF5 takes % as the beginning of a pattern in the names of sources
                source = f"{folder.name}/{shard_name(part)}".replace("%", "%%")
                layout[offset : offset + len(part)] = h5py.VirtualSource(
                    source, name, (len(part), *shape)
                )
            file.create_virtual_dataset(name, layout)
        annotate(
            file, metadata.recipe, [name for name in tables if name != metadata.recipe.content]
        )
        file["shards/seal"] = np.array([each.checksum for each in records], dtype="S64")
        file["shards/offset"] = np.array([each.offsets for each in records], dtype=np.int64)
        file.attrs.update(metadata.attributes())
        file.attrs.update(
            {
                "shard_rows": len(parts[0]),
                "shard_folder": folder.name,
                "sha256": _sum_of([each.sha256 for each in records]),
                "tables_sha256": _sum_of([each.tables_sha256 for each in records]),
                "complete": True,
            }
        )


def _note(tables: list[str], name: str, *, item: object) -> None:
    if isinstance(item, h5py.Dataset):
        tables.append(name)


def _sum_of(sums: list[str]) -> str:
    """Return the SHA-256 of the checksums of all shards, one line each."""
    return hashlib.sha256("".join(f"{each}\n" for each in sums).encode()).hexdigest()
