"""Reading rows from the blocks of a file or its shards, in rising order and in as few reads."""

import os
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, final

import h5py
import numpy as np

from deepbench_torch.storage.header import Block, Header

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
        count, data, label = len(places), self._header.data, self._header.label
        into = (
            np.empty((count, *data.shape[1:]), data.dtype),
            np.empty((count, *label.shape[1:]), label.dtype),
        )
        order = None if _rising(places) else np.argsort(places, kind="stable")
        self._fill(places if order is None else places[order], into)
        if order is None:
            return into
        back = np.empty_like(order)
        back[order] = np.arange(count)
        return into[0][back], into[1][back]

    def _fill(self, places: Places, into: tuple[Array, Array]) -> None:
        """Rows at rising places."""
        shards = self._header.shards
        if shards is None:
            self._fill_from(0, places, into)
            return
        numbers = places // shards.rows
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(places)]
        for start, stop in pairwise(edges):
            if start < stop:
                number = int(numbers[start])
                here = (into[0][start:stop], into[1][start:stop])
                self._fill_from(number, places[start:stop] - number * shards.rows, here)

    def _fill_from(self, number: int, places: Places, into: tuple[Array, Array]) -> None:
        piece = self._pieces.pop(number, None) or self._open(number)
        self._pieces[number] = piece  # now the last to be let go
        if len(self._pieces) > OPEN:
            self._pieces.popitem(last=False)
        _take(piece.data, places, into[0])
        _take(piece.label, places, into[1])

    def _open(self, number: int) -> Piece:
        shards, data, label = self._header.shards, self._header.data, self._header.label
        if shards is None:
            return _piece(self._path, self._header.recipe.content, data, label)
        path, rows = shards.path(number, self._header.rows), shards.rows
        rows = min(rows, len(self._header.rows) - number * rows)
        offsets = [None if each < 0 else each for each in shards.offsets[number].tolist()]
        parts = (
            block._replace(shape=(rows, *block.shape[1:]), offset=offset)
            for block, offset in zip((data, label), offsets, strict=True)
        )
        return _piece(path, self._header.recipe.content, *parts)


def _piece(path: Path, content: str, data: Block, label: Block) -> Piece:
    try:
        return Piece(_block(path, content, data), _block(path, "label", label))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"{str(path)!r} cannot be read ({error}); it is missing or damaged, so write the "
            "catalogue again with overwrite=True"
        ) from error


def _block(path: Path, name: str, block: Block) -> Any:
    if block.offset is None:
        return h5py.File(path, "r")[name]
    return np.asarray(np.memmap(path, block.dtype, "r", block.offset, block.shape))


def _take(source: Any, places: Places, into: Array) -> None:
    """Rows at rising places of a block: one read where they follow one another."""
    if not len(places):
        return
    first, last = int(places[0]), int(places[-1])
    if last - first == len(places) - 1 and _rising(places, by=1):
        into[:] = source[first : last + 1]
    elif isinstance(source, np.ndarray):
        np.take(source, places, axis=0, out=into, mode="clip")
    else:
        for run in _runs(places, apart=(source.chunks or (1,))[0]):
            first = int(places[run][0])
            into[run] = source[first : int(places[run][-1]) + 1][places[run] - first]


def _runs(places: Places, *, apart: int) -> list[slice]:
    """Rising places in runs of those not further apart than a chunk: each is one read."""
    edges = [0, *(np.flatnonzero(np.diff(places) > apart) + 1).tolist(), len(places)]
    return [slice(*pair) for pair in pairwise(edges)]


def _rising(places: Places, by: int = 0) -> bool:
    return bool(np.all(np.diff(places) >= by))
