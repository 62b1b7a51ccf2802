"""Dealing the rows of a stream to ranks and workers: who makes which batch."""

import os
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import torch


class Deal(NamedTuple):
    """The rounds of an epoch, or of what is left of one.

    In a round every rank gets one batch, of rows that follow one another; so the order of rows is
    the same for any number of ranks and workers. Where the rows do not come out even, those of the
    last round (of the last two where it has fewer rows than ranks) are dealt evenly, in smaller
    batches, or left out if `drop_last`. Batches of one row cannot be smaller: then fewer rows than
    ranks are left out.

    Attributes:
        left: How many rows are left; None for no end.
        world: How many ranks there are.
        batch: Rows in a whole batch.
        drop_last: Whether only whole batches are dealt.
    """

    left: int | None
    world: int
    batch: int
    drop_last: bool

    @property
    def rounds(self) -> int | None:
        """How many rounds there are, which is how many batches every rank gets; None for no end."""
        if self.left is None:
            return None
        whole, rest = divmod(self.left, self.world * self.batch)
        if not rest or self.drop_last or self.batch == 1:
            return whole
        if not whole and rest < self.world:
            return 0
        return whole + 1

    def rows(self, number: int) -> range:
        """The rows of a round, for all ranks, counted from the first that is left."""
        return range(self._start(number), self._start(number + 1))

    def batch_of(self, number: int, rank: int) -> range:
        """The rows of one rank's batch of a round."""
        rows = self.rows(number)
        return rows[len(rows) * rank // self.world : len(rows) * (rank + 1) // self.world]

    def done_after(self, number: int) -> int:
        """How many rows are done with after a round: after the last, those left out as well."""
        rounds = self.rounds
        if self.left is not None and rounds is not None and number >= rounds - 1:
            return self.left
        return self._start(number + 1)

    def _start(self, number: int) -> int:
        start = number * self.world * self.batch
        rounds = self.rounds
        if self.left is None or rounds is None or number < rounds - 1:
            return start
        if self.drop_last or self.batch == 1:
            return start
        # the last round needs a row for each rank, at the cost of the one before it
        return self.left if number >= rounds else min(start, self.left - self.world)


class Lane(NamedTuple):
    """What one worker of one rank makes: its rank's batch of every `step`-th round from `first`.

    Attributes:
        deal: All rounds.
        rank: The rank.
        first: The worker's first round.
        step: The number of workers.
    """

    deal: Deal
    rank: int
    first: int
    step: int

    @property
    def rounds(self) -> Iterator[int]:
        """The numbers of its rounds."""
        rounds = self.deal.rounds
        if rounds is None:
            return count(self.first, self.step)
        return iter(range(self.first, rounds, self.step))

    def rows(self, number: int) -> range:
        """The rows of its batch of a round."""
        return self.deal.batch_of(number, self.rank)


def lane(deal: Deal, *, rank: int, worker: int, workers: int, done: int) -> Lane:
    """The lane of a worker (0 of 1 where there are none), after some rows that are done with."""
    number = done // (deal.world * deal.batch)
    while done and number < (deal.rounds or number + 1) and deal.done_after(number) <= done:
        number += 1  # the smaller batches of the last rounds
    return Lane(deal, rank, number + (worker - number) % workers, workers)


def distributed() -> tuple[int, int] | None:
    """Rank and number of ranks of this process's group, if torch.distributed has been set up."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def rank_and_world() -> tuple[int, int]:
    """Which of how many training processes this is.

    Returns:
        Of torch.distributed if it is set up, else RANK and WORLD_SIZE of the environment, else
        (0, 1).

    Raises:
        ValueError: If the environment makes no sense.
    """
    known = distributed()
    if known is not None:
        return known
    rank, world = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if "RANK" not in os.environ:
        return 0, 1
    if not (rank.isdecimal() and world.isdecimal() and int(rank) < int(world)):
        raise ValueError(
            f"RANK must be a whole number below WORLD_SIZE, got RANK={rank!r} and "
            f"WORLD_SIZE={world!r}; set both or neither"
        )
    return int(rank), int(world)
