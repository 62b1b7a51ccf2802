"""Indices of a dataset: selection of rows by an index, a slice or a list of indices."""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from torch import Tensor

MOST_ROWS = 256  # rows that an iteration makes in one batch
MOST_NUMBERS = 1 << 20  # fewer rows if they are large: 4 MiB of float32
FIRST_ROWS = 4  # rows of the first batch, for a user who looks at a few rows only

RULE = "expected an index, a slice or a list of indices"


def select(key: object, length: int) -> int | Sequence[int]:
    """Return the selected indices of a dataset, counted from 0.

    Args:
        key: An integer, a slice, or integers in any iterable, array or tensor with an order;
            negative integers count from the end.
        length: Number of rows of the dataset.

    Returns:
        One index for an integer, otherwise a sequence of indices.

    Raises:
        TypeError: If the key is anything else, for example a mask of booleans.
        IndexError: If an index is out of range.

    Example:
        >>> select(-1, 10), select(slice(2, 5), 10), select([0, -1], 10)
        (9, range(2, 5), [0, 9])
    """
    if isinstance(key, slice):
        return range(length)[_plain_slice(key)]
    plain: Any = key.tolist() if isinstance(key, Tensor | np.ndarray) else key
    if isinstance(plain, Mapping | Set | str | bytes) or not isinstance(plain, Iterable):
        return check_index(plain, length)
    return [check_index(each, length) for each in plain]


def select_all(key: object, length: int) -> Sequence[int]:
    """Return the selected indices as a sequence, also for one integer."""
    selected = select(key, length)
    return [selected] if isinstance(selected, int) else selected


def check_index(key: object, length: int) -> int:
    """Return one index of a dataset, counted from 0.

    Raises:
        TypeError: If the key is not an integer.
        IndexError: If the index is out of range.
    """
    try:
        if isinstance(key, bool | np.bool_):
            raise TypeError
        number = operator.index(key)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"dataset index: {RULE}, got {key!r:.80}; convert a mask with mask.nonzero(), "
            "a set or an iterator with list(...)"
        ) from None
    if not -length <= number < length:
        raise IndexError(
            f"dataset index: expected {f'{-length} to {length - 1}' if length else 'no index'} for "
            f"{length} rows, got {number}; use an index below len(data)"
        )
    return number % length


def _plain_slice(key: slice) -> slice:
    for end in (key.start, key.stop, key.step):
        if isinstance(end, bool) or not (end is None or isinstance(end, int | np.integer)):
            raise TypeError(
                f"dataset index: expected integers in a slice, got {key!r}; use data[start:stop]"
            )
    if key.step == 0:
        raise ValueError("dataset index: expected a slice with a step other than 0, got 0; use 1")
    return key


def rows_per_batch(numbers: int) -> int:
    """Return the number of rows that an iteration makes in one batch.

    Args:
        numbers: Number of values of a row.
    """
    return max(1, min(MOST_ROWS, MOST_NUMBERS // numbers))


def chunks(length: int, most: int) -> Iterator[range]:
    """Yield all indices of a dataset in chunks that double in length, up to `most` rows."""
    start, rows = 0, min(FIRST_ROWS, most)
    while start < length:
        stop = min(length, start + rows)
        yield range(start, stop)
        start, rows = stop, min(2 * rows, most)
