"""Orders of rows for training and evaluation, each rank its part.

They are DistributedSamplers so that Lightning, which puts one of its own in the place of any other,
leaves them alone; its own repeat rows until every rank has as many.
"""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any, final

import torch
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from deepbench_torch import rng
from deepbench_torch.datasets.streams.sharding import rank_and_world


@final
class EpochShuffle(DistributedSampler[int]):
    """Places of a dataset in an order that depends on seed and epoch and on nothing else.

    Rank r of W takes every W-th from the r-th on, as many as any other, so that a step of all ranks
    sees the same rows whatever their number; fewer than W rows are left out, others each epoch.
    Lightning calls `set_epoch`, so a run that is resumed goes on with the orders it would have had.

    Args:
        dataset: What to order.
        seed: Another seed gives other orders.
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
    """Every place of a dataset once over all ranks, in order; none is repeated to even them out.

    Args:
        dataset: Whose places.

    Raises:
        ValueError: If there are fewer places than ranks.
    """

    def __init__(self, dataset: Dataset[Any]) -> None:
        rank, world = rank_and_world()
        super().__init__(dataset, num_replicas=world, rank=rank, shuffle=False)
        self.count = len(dataset)  # type: ignore[arg-type]
        if self.count < world:
            raise ValueError(
                f"{self.count} rows cannot be shared by {world} ranks; use a larger size"
            )

    def __len__(self) -> int:
        return len(self._places())

    def __iter__(self) -> Iterator[int]:
        return iter(self._places())

    def batch_size(self, most: int) -> int:
        """The largest batch, up to one given, with which all ranks have equally many batches.

        Ranks differ by one row at most; where that row would be a batch of its own, a rank that has
        one more would wait for the others for ever. If that is so of all batches up to the one
        given, it is the least beyond it.
        """
        fewest, uneven = divmod(self.count, self.num_replicas)
        if not uneven:
            return most
        return next(size for size in chain(range(most, 0, -1), count(most)) if fewest % size)

    def _places(self) -> range:
        first, last = (
            self.count * part // self.num_replicas for part in (self.rank, self.rank + 1)
        )
        return range(first, last)
