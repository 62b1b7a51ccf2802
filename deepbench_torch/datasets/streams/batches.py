"""Batches of rows, each made at once: what a stream hands out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import torch

from deepbench_torch.datasets.streams.sharding import Lane
from deepbench_torch.datasets.streams.sources import RowMaker, Source

LAST_ROW = (1 << 63) - 1
AHEAD = 64  # rows that are made at once where they are handed out one by one


@dataclass(frozen=True)
class BatchMaker:
    """Makes what one worker of a stream hands out.

    Attributes:
        source: The rows, with target and transforms.
        batch_size: Rows in a batch; None to hand out rows one by one.
        collate_fn: Makes a batch of a list of rows; None for torch's own way.
        device: Where images are drawn.
    """

    source: Source
    batch_size: int | None
    collate_fn: Callable[[list[Any]], Any] | None
    device: torch.device

    def made(self, lane: Lane, first: int) -> Iterator[tuple[int, Any]]:
        """The number of each round with the batch or row that a worker hands out in it.

        Args:
            lane: The worker's rounds.
            first: The row that the lane counts from.
        """
        if self.batch_size is not None:
            for number in lane.rounds:
                yield number, self._batch([first + row for row in lane.rows(number)])
            return
        for numbers in batched(lane.rounds, min(AHEAD, self.source.rows_at_once)):
            rows = [first + row for number in numbers for row in lane.rows(number)]
            yield from zip(numbers, self._pairs(rows), strict=True)

    def _pairs(self, rows: list[int]) -> list[tuple[Any, Any]]:
        """Rows one by one, after the transforms."""
        check_rows(max(rows, default=0))
        return self.source.handed_out(self._rows.pairs(rows))

    def _batch(self, rows: list[int]) -> Any:
        """A batch as DataLoader makes it of rows."""
        check_rows(max(rows, default=0))
        plain = self.collate_fn is None and not self.source.has_transforms
        if plain and self.source.target == "label":
            sample = self._rows.sample(rows)
            if sample is not None:
                return [sample.data, sample.label]  # they are a batch already
        return (self.collate_fn or self.source.collate_fn)(self._pairs(rows))

    @cached_property
    def _rows(self) -> RowMaker:
        return RowMaker(self.source, self.device)


def check_rows(last: int) -> None:
    """Refuse rows whose numbers do not fit in 63 bits.

    Raises:
        ValueError: If the last of them does not.
    """
    if last > LAST_ROW:
        raise ValueError(
            f"stream: expected rows below 2**63, got row {last}; begin at a smaller start"
        )


def batched(numbers: Iterable[int], length: int) -> Iterator[tuple[int, ...]]:
    """Numbers in tuples of some length, the last perhaps shorter; itertools has it from 3.12 on."""
    left = iter(numbers)
    while part := tuple(islice(left, length)):
        yield part
