"""Batches of the rows of a stream."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import torch

from deepbench_torch.datasets.streams.sharding import WorkerShard
from deepbench_torch.datasets.streams.sources import RowMaker, Source

LAST_ROW = (1 << 63) - 1
AHEAD = 64  # rows generated in one batch where they are returned one by one


@dataclass(frozen=True)
class BatchMaker:
    """Generator of the batches of one worker.

    Attributes:
        source: Dataset of the rows, with target and transforms.
        batch_size: Rows in a batch; None to yield rows one by one.
        collate_fn: Function that makes a batch of a list of rows; None for torch's default.
        device: Device that renders images.
    """

    source: Source
    batch_size: int | None
    collate_fn: Callable[[list[Any]], Any] | None
    device: torch.device

    def batches(self, shard: WorkerShard, first: int) -> Iterator[tuple[int, Any]]:
        """Yield each step of a worker with its batch or row.

        Args:
            shard: Steps of the worker.
            first: Row from which the shard counts.
        """
        if self.batch_size is not None:
            for step in shard.steps:
                yield step, self._batch([first + row for row in shard.rows(step)])
            return
        for steps in batched(shard.steps, min(AHEAD, self.source.rows_per_batch)):
            rows = [first + row for step in steps for row in shard.rows(step)]
            yield from zip(steps, self._pairs(rows), strict=True)

    def _pairs(self, rows: list[int]) -> list[tuple[Any, Any]]:
        """Return rows one by one, after the transforms."""
        check_rows(max(rows, default=0))
        return self.source.transformed(self._rows.pairs(rows))

    def _batch(self, rows: list[int]) -> Any:
        """Return a batch as DataLoader makes it of rows."""
        check_rows(max(rows, default=0))
        plain = self.collate_fn is None and not self.source.has_transforms
        if plain and self.source.target == "label":
            sample = self._rows.sample(rows)
            if sample is not None:
                return [sample.data, sample.label]  # already batched
        return (self.collate_fn or self.source.collate_fn)(self._pairs(rows))

    @cached_property
    def _rows(self) -> RowMaker:
        return RowMaker(self.source, self.device)


def check_rows(last: int) -> None:
    """Check that row numbers fit in 63 bits.

    Raises:
        ValueError: If the last row number does not.
    """
    if last > LAST_ROW:
        raise ValueError(f"stream: expected rows below 2**63, got row {last}; use a smaller start")


def batched(numbers: Iterable[int], length: int) -> Iterator[tuple[int, ...]]:
    """Yield tuples of `length` numbers, the last possibly shorter; see itertools from 3.12 on."""
    remaining = iter(numbers)
    while part := tuple(islice(remaining, length)):
        yield part
