"""Two processes against one in writing a catalogue."""

import tempfile
import time
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import deepbench_torch as db
from deepbench_torch.storage.crew import local_pool

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
    """Write a catalogue by one and by two processes in turns; their start is not counted."""
    catalogue = db.Catalogue(RECIPE, size=size)
    times: tuple[list[float], list[float]] = ([], [])
    with local_pool(1) as one, local_pool(2) as two:
        for number in range(rounds + 1):
            for pool, taken in zip((one, two), times, strict=True):
                seconds = _seconds(catalogue, pool)
                if number:  # the first round starts the processes
                    taken.append(seconds)
    return Speedup(size, *(size / min(taken) for taken in times))


def _seconds(catalogue: db.Catalogue, pool: Executor) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        db.materialize(catalogue, Path(folder) / "a.h5", executor=pool, progress=False)
        return time.perf_counter() - start
