"""Copy rows out of an array or a dataset of HDF5, in rising order and in as few reads."""

from itertools import pairwise
from typing import Any

import numpy as np

from deepbench_torch.storage.formats.rows import Indices
from deepbench_torch.storage.work.chunks import Array

SMALL = 512  # bytes; many smaller rows lie on one page of memory


def gather(source: Any, places: Indices) -> Array:
    """Return a fresh array of the rows at some places of a block, read in rising order."""
    if not len(places):
        return np.empty((0, *source.shape[1:]), source.dtype)
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


def _touch(source: Array, places: Indices) -> None:
    """Touch the rows in ascending order, so that the disk reads sequentially."""
    if source[:1].nbytes >= SMALL:
        source.reshape(len(source), -1)[np.sort(places), 0].any()


def _runs(places: Indices, *, apart: int) -> list[slice]:
    """Rising places in runs of those not further apart than a chunk: each is one read."""
    edges = [0, *(np.flatnonzero(np.diff(places) > apart) + 1).tolist(), len(places)]
    return [slice(*pair) for pair in pairwise(edges)]
