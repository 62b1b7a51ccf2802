"""Mixtures: in which order the rows of several catalogues come."""

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from deepbench_torch.arguments import check_integer
from deepbench_torch.datasets import Split, split_rows

LARGEST = 1 << 31  # rows of a weighted collection, whose order is kept in memory


class Order(ABC):
    """The rows of a collection: at each place, a member and a place in it.

    Attributes:
        parts: The places of each member that take part.
    """

    parts: list[range]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, place: int) -> tuple[int, int]:
        """The member and the place in it, for a place from 0 on."""


@final
class InTurn(Order):
    """One member after another.

    Args:
        parts: The places of each member that take part.
    """

    def __init__(self, parts: Sequence[range]) -> None:
        self.parts = list(parts)
        self.ends = list(accumulate(len(part) for part in parts))

    @override
    def __len__(self) -> int:
        return self.ends[-1]

    @override
    def __getitem__(self, place: int) -> tuple[int, int]:
        member = bisect_right(self.ends, place)
        return member, self.parts[member][place - self.ends[member]]


@final
class Interleaved(Order):
    """The members by turns, in the proportion of their weights.

    Row j of a member with weight w is due at the time (j + 1/2) / w; rows come in the order of
    their times, so a longer order begins with a shorter one.

    Args:
        parts: The places of each member that take part; together all rows of the order.
        weights: How often each member comes.
    """

    def __init__(self, parts: Sequence[range], weights: Sequence[float]) -> None:
        self.parts = list(parts)
        due = np.concatenate(
            [_due(len(part), weight) for part, weight in zip(parts, weights, strict=True)]
        )
        order = np.argsort(due, kind="stable")  # of rows due at once the first member's comes first
        self.member: NDArray[Any] = np.repeat(
            np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]
        )[order]
        self.place: NDArray[Any] = np.concatenate(
            [np.arange(part.start, part.stop) for part in parts]
        )[order]

    @override
    def __len__(self) -> int:
        return len(self.member)

    @override
    def __getitem__(self, place: int) -> tuple[int, int]:
        return int(self.member[place]), int(self.place[place])


def order_rows(
    domains: Sequence[str],
    lengths: Sequence[int],
    *,
    weights: Sequence[float] | None,
    sizes: Sequence[int] | None,
    size: int | None,
    split: Split | None,
) -> Order:
    """The order of the rows of a collection.

    Args:
        domains: The names of the members, for messages.
        lengths: How many rows each has.
        weights: How often each comes; None for one after another.
        sizes: How many rows of each take part; None for all.
        size: How many rows take part together, with weights only.
        split: The part of every member's rows.

    Raises:
        ValueError: If these do not fit together or to the members.
    """
    if size is not None and weights is None:
        raise ValueError(
            f"size goes with weights, got size={size} alone; use sizes for each member"
        )
    lengths = _shortened(domains, lengths, sizes)
    if weights is None:
        return InTurn([split_rows(length, split) for length in lengths])
    _check_weights(domains, weights)
    counts = _counts(domains, lengths, weights, size)
    return Interleaved([split_rows(count, split) for count in counts], weights)


def _shortened(
    domains: Sequence[str], lengths: Sequence[int], sizes: Sequence[int] | None
) -> list[int]:
    if sizes is None:
        return list(lengths)
    if len(sizes) != len(domains):
        raise ValueError(
            f"sizes needs a number for each of {', '.join(domains)}, got {list(sizes)!r}"
        )
    shortened = []
    for domain, length, wanted in zip(domains, lengths, sizes, strict=True):
        rule = (
            f"sizes must be numbers of rows that the members have, 1 to {length} of {domain}; "
            "make the catalogue larger, or take fewer"
        )
        shortened.append(check_integer(wanted, rule, least=1, most=length))
    return shortened


def _check_weights(domains: Sequence[str], weights: Sequence[float]) -> None:
    fits = len(weights) == len(domains) and all(0 < weight < math.inf for weight in weights)
    if not fits:
        raise ValueError(
            f"weights needs a positive number for each of {', '.join(domains)}, got "
            f"{list(weights)!r}; leave out a member that never comes"
        )


def _counts(
    domains: Sequence[str], lengths: Sequence[int], weights: Sequence[float], size: int | None
) -> list[int]:
    """How many rows of each member a weighted collection takes."""
    if size is None:  # all that are due before a row that its member lacks
        end = min((length + 0.5) / weight for length, weight in zip(lengths, weights, strict=True))
        return [
            max(1, min(length, math.ceil(end * weight - 0.5)))
            for length, weight in zip(lengths, weights, strict=True)
        ]
    size = check_integer(
        size, "size must be a positive whole number of rows", least=1, most=LARGEST
    )
    endless = Interleaved([range(size)] * len(lengths), weights)
    counts: list[int] = np.bincount(endless.member[:size], minlength=len(lengths)).tolist()
    for domain, length, count in zip(domains, lengths, counts, strict=True):
        if not 1 <= count <= length:
            raise ValueError(
                f"size={size} rows by these weights need {count} rows of {domain}, got a "
                f"catalogue of {length}; choose another size, other weights or a larger catalogue"
            )
    return counts


def _due(count: int, weight: float) -> NDArray[Any]:
    """When each row of a member is due."""
    return (np.arange(count) + 0.5) / weight
