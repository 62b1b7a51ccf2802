"""Progress of each process that reads a stream, and the saved state of a job."""

from collections.abc import Iterator, Mapping
from multiprocessing.context import get_spawning_popen
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

MOST_WORKERS = 128


class Reader(NamedTuple):
    """Process that reads a stream: one of `workers`, or the training process if there are none."""

    workers: int
    worker: int


class Progress(NamedTuple):
    """Progress of one process; rows are of the complete job, counted from the stream's start.

    Attributes:
        restart: Number of the latest restart that it follows; see `StreamProgress.restart_at`.
        started: Whether the rows from `origin` on are being returned.
        origin: Row from which sharding counts: the start of an epoch, or of a resumed run.
        rows: Number of rows that the job has consumed, if all ranks and workers are in step.
    """

    restart: int
    started: bool
    origin: int
    rows: int


@final
class StreamProgress:
    """Progress of every process that reads a stream: a small table of numbers.

    DataLoader starts new worker processes for each epoch and passes them nothing of earlier
    epochs. So the table is shared with them, in anonymous memory that ends with its last process.
    It needs no lock, because each process writes only its own row. A copy by plain pickle shares
    nothing and starts at the row of the training process.
    """

    def __init__(self, origin: int = 0) -> None:
        self._table = _shared_table()
        self.restart_at(origin)

    def __getstate__(self) -> dict[str, Any]:
        if get_spawning_popen() is not None:  # a worker process is being started
            return {"table": self._table}
        return {"origin": self.get(Reader(0, 0)).rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._table = state["table"] if "table" in state else _shared_table()
        if "origin" in state:
            self.restart_at(state["origin"])

    def restart_at(self, origin: int) -> None:
        """Make every process start at one row, whatever its progress."""
        restart = int(self._table[0, 0]) + 1
        self._table[0] = _numbers(Progress(restart, False, origin, origin))

    def latest_restart(self) -> Progress:
        """Return the progress from which every process starts after the latest restart."""
        return Progress(*self._table[0].tolist())

    def get(self, reader: Reader) -> Progress:
        """Return the progress of a process."""
        latest, own = self._table[0].tolist(), self._table[_row(reader)].tolist()
        return Progress(*(own if own[0] == latest[0] else latest))

    def store(self, reader: Reader, progress: Progress) -> None:
        """Store the progress of a process."""
        self._table[_row(reader)] = _numbers(progress)


def _numbers(progress: Progress) -> Tensor:
    return torch.tensor(progress, dtype=torch.int64, device="cpu")


def _shared_table() -> Tensor:
    rows = 2 + MOST_WORKERS * (MOST_WORKERS + 1) // 2
    table = torch.zeros(rows, len(Progress._fields), dtype=torch.int64, device="cpu")
    table.share_memory_()  # type: ignore[no-untyped-call]
    return table


def _row(reader: Reader) -> int:
    workers, worker = reader
    if workers > MOST_WORKERS:
        raise ValueError(
            f"stream: expected at most {MOST_WORKERS} workers of a rank, got {workers}; use fewer "
            "workers"
        )
    return 1 if workers == 0 else 2 + workers * (workers - 1) // 2 + worker


def job_state(state: Mapping[str, Any], *, has_batches: bool) -> Mapping[str, Any]:
    """Return the state of a job: of several workers' states the most advanced.

    Args:
        state: State of a stream or of a loader.
        has_batches: Whether the stream returns batches, in one order for all workers.

    Raises:
        ValueError: If it has no state of a stream, or none that is exact.
    """
    states = sorted(_states(state), key=lambda each: int(each["rows"]))
    if not states:
        raise ValueError(
            f"load_state_dict: expected the state of a stream, got {state!r:.80}; pass the result "
            "of state_dict"
        )
    if not has_batches and states[0]["rows"] != states[-1]["rows"]:
        raise ValueError(
            "load_state_dict: expected one row number of all workers, got "
            f"{states[0]['rows']} to {states[-1]['rows']}, for workers without batches are not in "
            "step; set batch_size in the stream, or resume with as many workers by the loader's "
            "own load_state_dict"
        )
    return states[-1]


def _states(state: object) -> Iterator[Mapping[str, Any]]:
    """Yield the states of streams in one state, such as those of the workers of a loader."""
    if not isinstance(state, Mapping):
        return
    if {"rows", "origin", "recipe", "seed", "start"} <= state.keys():
        yield state
        return
    if state.get("_steps_since_snapshot", 0):
        raise ValueError(
            "load_state_dict: expected the state after the latest batch, got one that is "
            f"{state['_steps_since_snapshot']} batches old; use StatefulDataLoader with "
            "snapshot_every_n_steps=1"
        )
    for part in state.values():
        yield from _states(part)
