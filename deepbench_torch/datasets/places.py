"""Places of a dataset: which rows an index, a slice or a list of indices selects."""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from torch import Tensor

MOST_AT_ONCE = 256  # rows that an iteration makes in one batch
NUMBERS_AT_ONCE = 1 << 20  # and fewer where rows are large: 4 MiB of float32
FIRST_AT_ONCE = 4  # rows of the first batch, for a user who looks at a few rows only

RULE = "expected a place, a slice or a list of places"


def select(key: object, length: int) -> int | Sequence[int]:
    """Return the places that a user selects in a dataset, counted from 0.

    Args:
        key: An integer, a slice, or integers in any iterable, array or tensor with an order;
            negative integers count from the end.
        length: The number of rows of the dataset.

    Returns:
        One place for an integer, otherwise a sequence of places.

    Raises:
        TypeError: If the key is anything else, for example a mask of booleans.
        IndexError: If a place is out of range.

    Example:
        >>> select(-1, 10), select(slice(2, 5), 10), select([0, -1], 10)
        (9, range(2, 5), [0, 9])
    """
    if isinstance(key, slice):
        return range(length)[_plain_slice(key)]
    plain: Any = key.tolist() if isinstance(key, Tensor | np.ndarray) else key
    if isinstance(plain, Mapping | Set | str | bytes) or not isinstance(plain, Iterable):
        return place(plain, length)
    return [place(each, length) for each in plain]


def select_all(key: object, length: int) -> Sequence[int]:
    """Return the places that a user selects, as a sequence also for one integer."""
    found = select(key, length)
    return [found] if isinstance(found, int) else found


def place(key: object, length: int) -> int:
    """Return one place of a dataset, counted from 0.

    Raises:
        TypeError: If the key is not an integer.
        IndexError: If there is no such place.
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
            f"place {number} is out of range: the dataset holds {length} rows"
            + (f", so 0 to {length - 1}" if length else "")
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


def rows_at_once(numbers: int) -> int:
    """Return how many rows of so many numbers each an iteration makes in one batch."""
    return max(1, min(MOST_AT_ONCE, NUMBERS_AT_ONCE // numbers))


def chunks(length: int, most: int) -> Iterator[range]:
    """Yield all places of a dataset in chunks that double in length, up to `most` rows."""
    start, rows = 0, min(FIRST_AT_ONCE, most)
    while start < length:
        stop = min(length, start + rows)
        yield range(start, stop)
        start, rows = stop, min(2 * rows, most)
