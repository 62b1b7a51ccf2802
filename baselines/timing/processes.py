"""Two processes against one in writing a catalogue."""

import tempfile
import time
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import torch

import deepbench_torch as db
from deepbench_torch.storage.work.workers import local_pool

RECIPE = "sky"


class Speedup(NamedTuple):
    """Images a second that one and two processes write, at their best."""

    size: int
    one: float
    two: float

    def __str__(self) -> str:
        return (
            f"writing {self.size:,} {RECIPE} images: {self.one:,.0f} images/s by one process, "
            f"{self.two:,.0f} by two: {self.two / self.one:.2f} times as many"
        )


def compare(size: int = 12_288, rounds: int = 3) -> Speedup:
    """Write a catalogue by this process and by two others in turns, of one thread each.

    The start of the two is not counted.
    """
    catalogue, threads = db.Catalogue(RECIPE, size=size), torch.get_num_threads()
    torch.set_num_threads(1)
    times: tuple[list[float], list[float]] = ([], [])
    with local_pool(2) as two:
        _seconds(catalogue, two)
        for _ in range(rounds):
            for pool, taken in zip((None, two), times, strict=True):
                taken.append(_seconds(catalogue, pool))
    torch.set_num_threads(threads)
    return Speedup(size, *(size / min(taken) for taken in times))


def _seconds(catalogue: db.Catalogue, pool: Executor | None) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        db.materialize(catalogue, Path(folder) / "a.h5", executor=pool, progress=False)
        return time.perf_counter() - start
