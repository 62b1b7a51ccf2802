"""Reading rows from the blocks of a file or its shards, in rising order and in as few reads."""

import os
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, final

import h5py
import numpy as np

from deepbench_torch.storage.header import Block, Header, checked_file
from deepbench_torch.storage.reading import reading

SMALL = 512  # bytes; many smaller rows lie on one page of memory
OPEN = 256  # shards that one process has open at once, well below what systems allow

Array = np.ndarray[Any, np.dtype[Any]]
Places = np.ndarray[Any, np.dtype[np.int64]]


class Piece(NamedTuple):
    """The open blocks of one file: arrays mapped into memory, or datasets of HDF5."""

    data: Any
    label: Any


@final
class OpenBlocks:
    """The open blocks of a catalogue in one process.

    Args:
        path: The file.
        header: What it says of itself.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.process = os.getpid()
        self._path = path
        self._header = header
        self._pieces: OrderedDict[int, Piece] = OrderedDict()

    def read(self, places: Places) -> tuple[Array, Array]:
        """Fresh arrays of the data and the labels at some places, in their order."""
        data, label, shards = self._header.data, self._header.label, self._header.shards
        if shards is None and len(places):
            piece = self._piece(0)
            return _fresh(piece.data, places), _fresh(piece.label, places)
        count = len(places)
        into = (
            np.empty((count, *data.shape[1:]), data.dtype),
            np.empty((count, *label.shape[1:]), label.dtype),
        )
        if shards is not None and count:
            numbers = places // shards.rows
            for number in np.unique(numbers).tolist():
                here, piece = numbers == number, self._piece(number)
                into[0][here] = _fresh(piece.data, places[here] - number * shards.rows)
                into[1][here] = _fresh(piece.label, places[here] - number * shards.rows)
        return into

    def _piece(self, number: int) -> Piece:
        """The blocks of a shard, opened if they are not."""
        piece = self._pieces.pop(number, None) or self._open(number)
        self._pieces[number] = piece  # now the last to be let go
        if len(self._pieces) > OPEN:
            self._pieces.popitem(last=False)
        return piece

    def _open(self, number: int) -> Piece:
        shards, data, label = self._header.shards, self._header.data, self._header.label
        if shards is None:
            return _piece(self._path, self._header.recipe.content, data, label)
        path, rows = shards.file(number, self._header.rows), shards.rows
        rows = min(rows, len(self._header.rows) - number * rows)
        offsets = [None if each < 0 else each for each in shards.offsets[number].tolist()]
        parts = (
            block._replace(shape=(rows, *block.shape[1:]), offset=offset)
            for block, offset in zip((data, label), offsets, strict=True)
        )
        return _piece(path, self._header.recipe.content, *parts)


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


def _fresh(source: Any, places: Places) -> Array:
    """A fresh array of the rows at some places of a block, read in rising order."""
    first, last = int(places[0]), int(places[-1])
    follow = last - first == len(places) - 1 and bool((places[1:] > places[:-1]).all())
    if follow:  # they follow one another: one read
        rows: Array = source[first : last + 1]
        return rows.copy() if rows.base is not None else rows
    if isinstance(source, np.ndarray):
        _touch(source, places)
        return source[places]
    order = np.argsort(places, kind="stable")
    found = np.empty((len(places), *source.shape[1:]), source.dtype)
    for run in _runs(places[order], apart=(source.chunks or (1,))[0]):
        mine = order[run]
        first = int(places[mine[0]])
        found[mine] = source[first : int(places[mine[-1]]) + 1][places[mine] - first]
    return found


def _touch(source: Array, places: Places) -> None:
    """Have the system fetch mapped rows in rising order, as a disk likes them."""
    if source[:1].nbytes >= SMALL:
        source.reshape(len(source), -1)[np.sort(places), 0].any()


def _runs(places: Places, *, apart: int) -> list[slice]:
    """Rising places in runs of those not further apart than a chunk: each is one read."""
    edges = [0, *(np.flatnonzero(np.diff(places) > apart) + 1).tolist(), len(places)]
    return [slice(*pair) for pair in pairwise(edges)]
