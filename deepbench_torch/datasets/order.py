"""Order of the rows of several catalogues in a collection."""

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from deepbench_torch.datasets.splits import Split, split_rows
from deepbench_torch.numerics.checks import check_integer

LARGEST = 1 << 31  # rows of a weighted collection, whose order is kept in memory


class Order(ABC):
    """Rows of a collection: at each index, a member and an index in it.

    Attributes:
        parts: Indices in use of each member.
    """

    parts: list[range]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> tuple[int, int]:
        """Return the member and the index in it, for an index from 0 on."""


@final
class SequentialOrder(Order):
    """Order in which one member follows another.

    Args:
        parts: Indices in use of each member.
    """

    def __init__(self, parts: Sequence[range]) -> None:
        self.parts = list(parts)
        self.ends = list(accumulate(len(part) for part in parts))

    @override
    def __len__(self) -> int:
        return self.ends[-1]

    @override
    def __getitem__(self, index: int) -> tuple[int, int]:
        member = bisect_right(self.ends, index)
        return member, self.parts[member][index - self.ends[member]]


@final
class InterleavedOrder(Order):
    """Order in which the members alternate, in the proportion of their weights.

    Args:
        parts: Indices in use of each member, which together are all rows of the order.
        weights: Relative frequency of each member.
    """

    def __init__(self, parts: Sequence[range], weights: Sequence[float]) -> None:
        self.parts = list(parts)
        self.member = interleave([len(part) for part in parts], weights)
        self.index: NDArray[Any] = np.empty(len(self.member), dtype=np.int64)
        for number, part in enumerate(parts):
            self.index[self.member == number] = np.arange(part.start, part.stop)

    @override
    def __len__(self) -> int:
        return len(self.member)

    @override
    def __getitem__(self, index: int) -> tuple[int, int]:
        return int(self.member[index]), int(self.index[index])


def interleave(counts: Sequence[int], weights: Sequence[float]) -> NDArray[np.int32]:
    """Return the member of each row, int32, shape (sum of counts,).

    Row j of a member of weight w has the time (j + 1/2) / w, and rows are in the order of their
    times. So the order of fewer rows is the beginning of the order of more rows.

    Args:
        counts: Number of rows of each member.
        weights: Relative frequency of each member.
    """
    times = np.concatenate(
        [(np.arange(count) + 0.5) / weight for count, weight in zip(counts, weights, strict=True)]
    )
    members = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return members[np.argsort(times, kind="stable")]  # of equal times the first member is first


def order_rows(
    domains: Sequence[str],
    lengths: Sequence[int],
    *,
    weights: Sequence[float] | None,
    sizes: Sequence[int] | None,
    size: int | None,
    split: Split | None,
) -> Order:
    """Return the order of the rows of a collection.

    Args:
        domains: Names of the members, for messages.
        lengths: Number of rows of each member.
        weights: Relative frequency of each member; None for one member after another.
        sizes: Number of rows in use of each member; None for all.
        size: Number of rows in use of all members together, with weights only.
        split: Split of each member's rows.

    Raises:
        ValueError: If an argument contradicts another one or the members.
    """
    if size is not None and weights is None:
        raise ValueError(
            f"size: expected weights beside it, got size={size} alone; use sizes for each member"
        )
    lengths = _shortened(domains, lengths, sizes=sizes)
    if weights is None:
        return SequentialOrder([split_rows(length, split) for length in lengths])
    _check_weights(domains, weights)
    counts = _counts(domains, lengths, weights, size)
    return InterleavedOrder([split_rows(count, split) for count in counts], weights)


def _shortened(
    domains: Sequence[str], lengths: Sequence[int], *, sizes: Sequence[int] | None
) -> list[int]:
    if sizes is None:
        return list(lengths)
    if len(sizes) != len(domains):
        raise ValueError(
            f"sizes: expected a number for each of {', '.join(domains)}, got {list(sizes)!r}; "
            "pass one for each member"
        )
    return [
        check_integer(
            size,
            f"sizes: expected 1 to {length}, the rows of {domain}",
            least=1,
            most=length,
            remedy="use a larger catalogue, or fewer rows",
        )
        for domain, length, size in zip(domains, lengths, sizes, strict=True)
    ]


def _check_weights(domains: Sequence[str], weights: Sequence[float]) -> None:
    valid = len(weights) == len(domains) and all(0 < weight < math.inf for weight in weights)
    if not valid:
        raise ValueError(
            f"weights: expected a positive number for each of {', '.join(domains)}, got "
            f"{list(weights)!r}; omit members of weight 0"
        )


def _counts(
    domains: Sequence[str], lengths: Sequence[int], weights: Sequence[float], size: int | None
) -> list[int]:
    """Return the number of rows in use of each member of a weighted collection."""
    if size is None:  # all rows before the first that its member lacks
        end = min((length + 0.5) / weight for length, weight in zip(lengths, weights, strict=True))
        return [
            max(1, min(length, math.ceil(end * weight - 0.5)))
            for length, weight in zip(lengths, weights, strict=True)
        ]
    rule = "size: expected a positive whole number of rows"
    size = check_integer(size, rule, least=1, most=LARGEST, remedy="use 1 to 2**31")
    members = interleave([size] * len(lengths), weights)[:size]
    counts: list[int] = np.bincount(members, minlength=len(lengths)).tolist()
    for domain, length, count in zip(domains, lengths, counts, strict=True):
        if not 1 <= count <= length:
            raise ValueError(
                f"size: expected 1 to {length} rows of {domain}, got {count} for size={size} and "
                "these weights; use another size, other weights or a larger catalogue"
            )
    return counts
