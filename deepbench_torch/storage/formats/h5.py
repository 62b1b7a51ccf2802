"""A catalogue as one HDF5 file, or as one that joins shards."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple, final

import h5py
import numpy as np
from typing_extensions import override

from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.gather import gather
from deepbench_torch.storage.formats.rows import Indices, RowReader
from deepbench_torch.storage.hdf5.checksum import append_checksum
from deepbench_torch.storage.hdf5.header import Block, Header, checked_file, read_header
from deepbench_torch.storage.hdf5.shards import rows_in_shard, shard_folder, write_shards
from deepbench_torch.storage.hdf5.write import write_file
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.work.chunks import Array
from deepbench_torch.storage.work.job import Job

OPEN = 256  # shards that one process keeps open, well below what systems allow


class Piece(NamedTuple):
    """Open blocks of one file: arrays mapped into memory, or datasets of HDF5."""

    data: Any
    label: Any


def write_h5(job: Job, path: Path) -> None:
    """Write a catalogue to a new file, and to shards if it is large."""
    folder, step = shard_folder(job), rows_in_shard(job)
    if folder is not None and step is not None:
        write_shards(job, path, folder=folder, step=step)
        append_checksum(path)
        return
    write_file(job.metadata, path, chunks=job.chunks(), compression=job.compression)


@final
class H5Rows(RowReader):
    """Rows of an HDF5 file or its shards; mapped into memory where they are not compressed.

    Args:
        stored: The catalogue.
    """

    def __init__(self, stored: Description) -> None:
        self._path = stored.path
        self._header = read_header(stored.path)
        self._pieces: OrderedDict[int, Piece] = OrderedDict()
        self._checked: set[int] = set()  # shards that are known to belong to the file

    @override
    def read(self, indices: Indices) -> tuple[Array, Array]:
        data, label, shards = self._header.data, self._header.label, self._header.shards
        if shards is None:
            piece = self._piece(0)
            return gather(piece.data, indices), gather(piece.label, indices)
        count = len(indices)
        into = (
            np.empty((count, *data.shape[1:]), data.dtype),
            np.empty((count, *label.shape[1:]), label.dtype),
        )
        if count:
            numbers = indices // shards.rows
            for number in np.unique(numbers).tolist():
                here, piece = numbers == number, self._piece(number)
                into[0][here] = gather(piece.data, indices[here] - number * shards.rows)
                into[1][here] = gather(piece.label, indices[here] - number * shards.rows)
        return into

    def _piece(self, number: int) -> Piece:
        """Return the open blocks of a shard."""
        piece = self._pieces.pop(number, None) or self._open(number)
        self._pieces[number] = piece  # now the last to be closed
        if len(self._pieces) > OPEN:
            self._pieces.popitem(last=False)
        return piece

    def _open(self, number: int) -> Piece:
        shards, data, label = self._header.shards, self._header.data, self._header.label
        if shards is None:
            return _piece(self._path, self._header.recipe.content, data, label)
        path, rows = shards.file(number, self._header.rows), shards.rows
        rows = min(rows, len(self._header.rows) - number * rows)
        if number not in self._checked:
            first = self._header.rows.start + number * shards.rows
            _check_shard(path, self._header, rows=range(first, first + rows))
            self._checked.add(number)
        offsets = [None if each < 0 else each for each in shards.offsets[number].tolist()]
        blocks = (
            block._replace(shape=(rows, *block.shape[1:]), offset=offset)
            for block, offset in zip((data, label), offsets, strict=True)
        )
        return _piece(path, self._header.recipe.content, *blocks)


def _check_shard(path: Path, header: Header, *, rows: range) -> None:
    """Refuse a shard of another catalogue, or of other rows, under the name of this one.

    Raises:
        ValueError: If the metadata of the shard differ from those of the catalogue.
    """
    with reading(path), checked_file(path) as file:
        found = dict(file.attrs)
        differing = [
            name
            for name in ("digest", "seed", "size", "split", "generator_version")
            if found.get(name) != header.attributes[name]
        ]
    if list(found.get("shard", ())) != [rows.start, rows.stop]:
        differing.append("rows")
    if differing:
        raise ValueError(
            f"{str(path)!r}: expected rows {rows.start} to {rows.stop - 1} of its catalogue, got a "
            f"shard of another {', '.join(differing)}; bring all shards along, or write the "
            "catalogue again"
        )


def _piece(path: Path, content: str, data: Block, label: Block) -> Piece:
    mapped = data.offset is not None and label.offset is not None
    with reading(path):
        file = None if mapped else checked_file(path)
        return Piece(_block(path, file, content, data), _block(path, file, "label", label))


def _block(path: Path, file: h5py.File | None, name: str, block: Block) -> Any:
    """Return the dataset of a file, or its bytes mapped into memory."""
    if file is not None and block.offset is None:
        return file[name]
    return np.asarray(np.memmap(path, block.dtype, "r", block.offset or 0, block.shape))


def describe_h5(path: Path) -> Description:
    """Return the metadata of an HDF5 file; errors are those of `read_header`."""
    header = read_header(path)
    return Description(
        path=path,
        format="h5",
        recipe=header.recipe,
        seed=header.seed,
        size=header.size,
        split=header.split,
        checksum=header.attributes["sha256"],
        attributes=header.attributes,
        options={
            "compression": header.compression,
            "shard_rows": None if header.shards is None else header.shards.rows,
        },
        files=header.files,
    )


def _example(stored: Description) -> str:
    """Return code that opens the file."""
    return (
        "import deepbench_torch as db\n\n"
        f'train = db.StoredCatalogue({json.dumps(stored.path.name)}, split="train")\n'
        "data, label = train[0]"
    )


def _info(stored: Description) -> dict[str, str]:
    """Return how rows are read, and the number of shards."""
    header = read_header(stored.path)
    return {
        "reading": "mapped into memory" if header.mapped else "compressed",
        "shards": "none" if header.shards is None else f"{len(stored.files):,}",
    }


H5 = FileFormat(
    write=write_h5,
    open=H5Rows,
    example=_example,
    info=_info,
    suffixes=(".h5", ".hdf5", ".he5", ".hdf"),
    describe=describe_h5,
    compressions=("gzip", "lzf"),
    shards=shard_folder,
)
