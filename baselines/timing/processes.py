"""Speed of writing a catalogue by one and by two processes."""

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
    """Highest writing speeds of one and of two processes [images/s]."""

    size: int
    one: float
    two: float

    def __str__(self) -> str:
        return (
            f"writing {self.size:,} {RECIPE} images: {self.one:,.0f} images/s by one process, "
            f"{self.two:,.0f} by two: {self.two / self.one:.2f} times as many"
        )


def compare(size: int = 12_288, rounds: int = 3) -> Speedup:
    """Write a catalogue in turns by this process and by two others, with one thread each.

    The start of the other processes is not timed.
    """
    catalogue, threads = db.Catalogue(RECIPE, size=size), torch.get_num_threads()
    torch.set_num_threads(1)
    times: tuple[list[float], list[float]] = ([], [])
    with local_pool(2) as two:
        _seconds(catalogue, two)
        for _ in range(rounds):
            for pool, measured in zip((None, two), times, strict=True):
                measured.append(_seconds(catalogue, pool))
    torch.set_num_threads(threads)
    return Speedup(size, *(size / min(measured) for measured in times))


def _seconds(catalogue: db.Catalogue, pool: Executor | None) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        db.materialize(catalogue, Path(folder) / "a.h5", executor=pool, progress=False)
        return time.perf_counter() - start
