"""Warnings of splits that share rows: the datasets in use in this process, by recipe and seed."""

import gc
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from deepbench_torch.recipes import AbstractRecipe

STREAM = "stream"


class Part(NamedTuple):
    """Rows that a dataset uses for one purpose.

    Attributes:
        recipe: Recipe of the rows.
        seed: Seed of the rows.
        split: "train", "val", "test", or STREAM for a stream with a `start`.
        size: Rows of the catalogue before splitting; 0 for a stream.
        rows: Row numbers.
    """

    recipe: AbstractRecipe
    seed: int
    split: str
    size: int
    rows: range

    def __str__(self) -> str:
        if self.split == STREAM:
            return f"a stream from row {self.rows.start} on"
        return f"split {self.split!r} of {self.size} rows"


_in_use: WeakKeyDictionary[object, list[tuple[tuple[str, int], Part]]] = WeakKeyDictionary()


def use_parts(owner: object, parts: Sequence[Part]) -> None:
    """Register the rows of a new dataset, and warn if they overlap another split in use.

    Splits of one size never overlap. Splits of different sizes do: then a network is evaluated on
    rows of its training. Copies, as in workers, are not registered.

    Args:
        owner: The dataset; its rows are removed when it is deleted.
        parts: Rows of the dataset; parts of different splits do not overlap.
    """
    keyed = [((part.recipe.scene_digest, part.seed), part) for part in parts]
    for key, part in keyed:
        if next(_overlapping(key, part), None) is None:
            continue
        gc.collect()  # a finished trainer keeps its unused datasets in reference cycles
        other = next(_overlapping(key, part), None)
        if other is not None:
            warnings.warn(_message(part, other), UserWarning, stacklevel=_level_of_user())
            break
    if keyed:
        _in_use[owner] = keyed


def _overlapping(key: tuple[str, int], part: Part) -> Iterator[Part]:
    """Yield the parts in use for another purpose that share rows with a part."""
    for other_key, other in [each for parts in list(_in_use.values()) for each in parts]:
        harmless = {part.split, other.split} in ({part.split}, {STREAM, "train"})
        if other_key == key and not harmless and _shared(part.rows, other.rows):
            yield other


def _shared(left: range, right: range) -> range:
    """Return the intersection of two ranges of step 1."""
    return range(max(left.start, right.start), min(left.stop, right.stop))


def _message(part: Part, other: Part) -> str:
    shared = _shared(part.rows, other.rows)
    remedy = "use one size for all splits, with limit=... for fewer rows of a split"
    if STREAM in (part.split, other.split):
        remedy = "omit start, so that the stream begins beyond every catalogue"
    return (
        f"splits: expected disjoint rows, got {part} and {other} of recipe {part.recipe.name}, "
        f"seed {part.seed}, which share rows {shared[0]} to {shared[-1]}; {remedy}"
    )


def _level_of_user() -> int:
    """Return the `stacklevel` at which the first caller outside this package gets a warning."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(
        "deepbench_torch"
    ):
        level, frame = level + 1, frame.f_back
    return level
