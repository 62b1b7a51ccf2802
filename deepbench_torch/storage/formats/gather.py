"""Copy rows out of an array or a dataset of HDF5, in ascending order and few reads."""

from itertools import pairwise
from typing import Any

import numpy as np

from deepbench_torch.storage.formats.rows import Indices
from deepbench_torch.storage.work.chunks import Array

SMALL = 512  # bytes; many smaller rows share one page of memory


def gather(source: Any, indices: Indices) -> Array:
    """Return a new array of the rows at some indices of a block, read in ascending order."""
    if not len(indices):
        return np.empty((0, *source.shape[1:]), source.dtype)
    first, last = int(indices[0]), int(indices[-1])
    follow = last - first == len(indices) - 1 and bool((indices[1:] > indices[:-1]).all())
    if follow:  # they follow one another: one read
        rows: Array = source[first : last + 1]
        return rows.copy() if rows.base is not None else rows
    if isinstance(source, np.ndarray):
        _touch(source, indices)
        return source[indices]
    order = np.argsort(indices, kind="stable")
    found = np.empty((len(indices), *source.shape[1:]), source.dtype)
    for run in _runs(indices[order], apart=(source.chunks or (1,))[0]):
        wanted = indices[order[run]]
        first, last = int(wanted[0]), int(wanted[-1])
        found[order[run]] = source[first : last + 1][wanted - first]
    return found


def _touch(source: Array, indices: Indices) -> None:
    """Touch the rows in ascending order, so that the disk reads sequentially."""
    if source[:1].nbytes >= SMALL:
        source.reshape(len(source), -1)[np.sort(indices), 0].any()


def _runs(indices: Indices, *, apart: int) -> list[slice]:
    """Group ascending indices into runs whose gaps are at most one chunk: each is one read."""
    edges = [0, *(np.flatnonzero(np.diff(indices) > apart) + 1).tolist(), len(indices)]
    return [slice(*pair) for pair in pairwise(edges)]
