"""Samplers of rows for training and evaluation on several ranks.

They are DistributedSamplers, because Lightning replaces every other sampler by its own, which
repeats rows until all ranks have equally many.
"""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any, final

import torch
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from deepbench_torch.datasets.streams.sharding import rank_and_world
from deepbench_torch.numerics import rng


@final
class EpochShuffle(DistributedSampler[int]):
    """Indices of a dataset in an order that depends only on seed and epoch.

    Rank r of W has the indices r, r + W, r + 2 W, ... of this order. All ranks have equally many.
    A step of all ranks has the same rows for any W. Fewer than W rows are omitted, others in each
    epoch. Lightning calls `set_epoch`, so a resumed run continues with the same orders.

    Args:
        dataset: Dataset to shuffle.
        seed: Seed of the orders.
    """

    def __init__(self, dataset: Dataset[Any], *, seed: int) -> None:
        rank, world = rank_and_world()
        super().__init__(dataset, num_replicas=world, rank=rank, seed=seed, drop_last=True)
        self.count = len(dataset)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.count // self.num_replicas

    def __iter__(self) -> Iterator[int]:
        epoch = torch.tensor([self.epoch], dtype=torch.int64, device="cpu")
        words = rng.words(self.seed, ("loader.shuffle",), epoch, self.count)[0, 0]
        return iter(
            words.argsort(stable=True)[self.rank :: self.num_replicas][: len(self)].tolist()
        )


@final
class EachOnce(DistributedSampler[int]):
    """Every index of a dataset once over all ranks, in order; none is repeated.

    Args:
        dataset: Dataset to read.

    Raises:
        ValueError: If there are fewer rows than ranks.
    """

    def __init__(self, dataset: Dataset[Any]) -> None:
        rank, world = rank_and_world()
        super().__init__(dataset, num_replicas=world, rank=rank, shuffle=False)
        self.count = len(dataset)  # type: ignore[arg-type]
        if self.count < world:
            raise ValueError(
                f"size: expected {world} rows or more for {world} ranks, got {self.count}; use a "
                "larger size"
            )

    def __len__(self) -> int:
        return len(self._indices())

    def __iter__(self) -> Iterator[int]:
        return iter(self._indices())

    def batch_size(self, most: int) -> int:
        """Return the largest batch size up to `most` with equally many batches on all ranks.

        Ranks differ by one row at most. If this row were a batch of its own, its rank would wait
        for the others for ever. If no size up to `most` prevents this, return the smallest larger
        one.
        """
        fewest, uneven = divmod(self.count, self.num_replicas)
        if not uneven:
            return most
        return next(size for size in chain(range(most, 0, -1), count(most)) if fewest % size)

    def _indices(self) -> range:
        first, last = (
            self.count * part // self.num_replicas for part in (self.rank, self.rank + 1)
        )
        return range(first, last)
