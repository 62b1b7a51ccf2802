"""Speed of threads, and of a stock DataLoader with several numbers of workers."""

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import psutil
import torch
from torch.utils.data import ConcatDataset, DataLoader

import deepbench_torch as db

RECIPE = "sky"


class LoaderSpeed(NamedTuple):
    """Highest speeds [images/s], and the memory of a worker [MiB].

    Attributes:
        threads: Generation in batches of 1,024, by number of threads.
        workers: A ConcatDataset of two catalogues, by number of worker processes.
        memory: Memory of a worker that it does not share [MiB].
    """

    threads: dict[int, float]
    workers: dict[int, float]
    memory: float

    def __str__(self) -> str:
        one, two = self.threads[1], self.threads[2]
        loaders = ", ".join(f"{speed:,.0f} with {count}" for count, speed in self.workers.items())
        return (
            f"{RECIPE} in batches: {one:,.0f} images/s on one thread, {two:,.0f} on two: "
            f"{two / one:.2f} times as many\n"
            f"ConcatDataset of {RECIPE} behind a stock DataLoader, images/s by workers: {loaders}; "
            f"a worker has {self.memory:.0f} MiB of its own"
        )


def time_loaders(
    size: int = 8192, *, rounds: int = 3, workers: Sequence[int] = (0, 2, 4)
) -> LoaderSpeed:
    """Time threads and loaders of sky images.

    Args:
        size: Images of each of two catalogues.
        rounds: Number of measurements; the fastest counts.
        workers: Numbers of worker processes.
    """
    before = torch.get_num_threads()
    threads = _time_threads(torch.arange(min(size, 1024)), rounds=4 * rounds)
    torch.set_num_threads(1)
    data: ConcatDataset[Any] = ConcatDataset(
        [db.Catalogue(RECIPE, size=size, seed=seed) for seed in (1, 2)]
    )
    speeds, memory = {}, 0
    for count in workers:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create")  # more than cores
            loader: DataLoader[Any] = DataLoader(
                data, batch_size=256, num_workers=count, persistent_workers=count > 0
            )
            fastest = min(_seconds(partial(_read, loader)) for _ in range(rounds))
        speeds[count] = len(data) / fastest
        own = [child.memory_full_info().uss for child in psutil.Process().children()]
        memory = max([memory, *own])
    torch.set_num_threads(before)
    return LoaderSpeed(threads, speeds, memory / 2**20)


def _time_threads(index: torch.Tensor, *, rounds: int) -> dict[int, float]:
    """Return the speed of generation by number of threads, in turns."""
    fastest = {1: 0.0, 2: 0.0}
    for _ in range(rounds):
        for count in fastest:
            torch.set_num_threads(count)
            speed = len(index) / _seconds(lambda: db.generate(RECIPE, 0, index))
            fastest[count] = max(fastest[count], speed)
    return fastest


def _read(loader: DataLoader[Any]) -> None:
    for _ in loader:
        pass


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
