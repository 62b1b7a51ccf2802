"""Assignment of the rows of a stream to ranks and workers."""

import os
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import torch


class ParentRank(NamedTuple):
    """Rank of a training process, as it reported it to the process that it started."""

    process: int
    rank: int
    world: int


class ShardPlan(NamedTuple):
    """Training steps of an epoch, or of the rest of one.

    In each step every rank gets one batch. The batches of a step hold consecutive rows, so the
    order of rows is the same for any number of ranks and workers. If the rows do not fill the last
    step, they are divided evenly into smaller batches, or omitted if `drop_last`. If fewer rows
    than ranks are left, the last two steps share their rows. Batches of one row cannot be smaller,
    so there fewer rows than ranks are omitted.

    Attributes:
        remaining: Number of rows; None for a stream without end.
        world: Number of ranks.
        batch: Rows in a full batch.
        drop_last: Whether to omit rows that do not fill a batch on every rank.
    """

    remaining: int | None
    world: int
    batch: int
    drop_last: bool

    @property
    def steps(self) -> int | None:
        """Number of steps, which is the number of batches of a rank; None without end."""
        if self.remaining is None:
            return None
        full, rest = divmod(self.remaining, self.world * self.batch)
        if not rest or self.drop_last or self.batch == 1:
            return full
        if not full and rest < self.world:
            return 0
        return full + 1

    def rows(self, step: int) -> range:
        """Return the rows of a step on all ranks, counted from the first remaining row."""
        return range(self._start(step), self._start(step + 1))

    def batch_rows(self, step: int, rank: int) -> range:
        """Return the rows of the batch of one rank in a step."""
        rows = self.rows(step)
        return rows[len(rows) * rank // self.world : len(rows) * (rank + 1) // self.world]

    def done_after(self, step: int) -> int:
        """Return the number of rows done after a step; after the last, omitted rows included."""
        steps = self.steps
        if self.remaining is not None and steps is not None and step >= steps - 1:
            return self.remaining
        return self._start(step + 1)

    def _start(self, step: int) -> int:
        start = step * self.world * self.batch
        steps = self.steps
        if self.remaining is None or steps is None or step < steps - 1:
            return start
        if self.drop_last or self.batch == 1:
            return start
        # the last step needs one row for each rank; the step before it gives up rows
        return self.remaining if step >= steps else min(start, self.remaining - self.world)


class WorkerShard(NamedTuple):
    """Batches of one worker of one rank: every `stride`-th step from `first` on.

    Attributes:
        plan: All steps.
        rank: Rank of the worker's training process.
        first: First step of the worker.
        stride: Number of workers.
    """

    plan: ShardPlan
    rank: int
    first: int
    stride: int

    @property
    def steps(self) -> Iterator[int]:
        """Steps whose batches the worker makes."""
        steps = self.plan.steps
        if steps is None:
            return count(self.first, self.stride)
        return iter(range(self.first, steps, self.stride))

    def rows(self, step: int) -> range:
        """Return the rows of the worker's batch in a step."""
        return self.plan.batch_rows(step, self.rank)


def worker_shard(
    plan: ShardPlan, *, rank: int, worker: int, workers: int, done: int
) -> WorkerShard:
    """Return the shard of a worker after some rows are done.

    Args:
        plan: All steps.
        rank: Rank of the training process.
        worker: Number of the worker; 0 without workers.
        workers: Number of workers; 1 without workers.
        done: Number of rows that are done.
    """
    step = done // (plan.world * plan.batch)
    while done and step < (plan.steps or step + 1) and plan.done_after(step) <= done:
        step += 1  # the last steps may have smaller batches
    return WorkerShard(plan, rank, step + (worker - step) % workers, workers)


def distributed() -> tuple[int, int] | None:
    """Return rank and number of ranks of torch.distributed; None if it is not initialized."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def rank_and_world() -> tuple[int, int]:
    """Return the rank of this training process and the number of ranks.

    Returns:
        Values of torch.distributed if it is initialized, else RANK and WORLD_SIZE of the
        environment, else (0, 1).

    Raises:
        ValueError: If RANK is not below WORLD_SIZE.
    """
    known = distributed()
    if known is not None:
        return known
    rank, world = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if "RANK" not in os.environ:
        return 0, 1
    if not (rank.isdecimal() and world.isdecimal() and int(rank) < int(world)):
        raise ValueError(
            f"RANK: expected a whole number below WORLD_SIZE, got RANK={rank!r} and "
            f"WORLD_SIZE={world!r}; set both variables or neither"
        )
    return int(rank), int(world)
