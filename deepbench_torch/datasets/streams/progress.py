"""How far each process has come with a stream, and what a job saves of it."""

from collections.abc import Iterator, Mapping
from multiprocessing.context import get_spawning_popen
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

MOST_WORKERS = 128


class Reader(NamedTuple):
    """Who reads a stream: a worker among `workers`, or the training process if there are none."""

    workers: int
    worker: int


class Place(NamedTuple):
    """How far one process has come; rows are of the whole job, counted from the stream's start.

    Attributes:
        order: Which order to begin somewhere it follows, see `Places.begin_at`.
        begun: Whether the rows from `origin` on are being handed out.
        origin: Where dealing began: the beginning of an epoch, or where a run was resumed.
        rows: How many rows the job has consumed, if all ranks and workers are in step.
    """

    order: int
    begun: bool
    origin: int
    rows: int


@final
class Places:
    """The place of every process that reads a stream: a small table of numbers.

    DataLoader makes new worker processes for each epoch and tells them nothing of the epochs
    before. So the table is shared with them: nameless memory, which ends with the last process that
    has it, and no lock, for each process writes its own row alone. A copy by plain pickle is
    shared with nobody and begins where the training process is.
    """

    def __init__(self, origin: int = 0) -> None:
        self._table = _shared_table()
        self.begin_at(origin)

    def __getstate__(self) -> dict[str, Any]:
        if get_spawning_popen() is not None:  # a worker process is being started
            return {"table": self._table}
        return {"origin": self.get(Reader(0, 0)).rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._table = state["table"] if "table" in state else _shared_table()
        if "origin" in state:
            self.begin_at(state["origin"])

    def begin_at(self, origin: int) -> None:
        """Have every process begin at one place, whatever it is still at."""
        order = int(self._table[0, 0]) + 1
        self._table[0] = _numbers(Place(order, False, origin, origin))

    def latest(self) -> Place:
        """Return the place at which every process was last told to begin."""
        return Place(*self._table[0].tolist())

    def get(self, reader: Reader) -> Place:
        """The place of a process."""
        latest, own = self._table[0].tolist(), self._table[_row(reader)].tolist()
        return Place(*(own if own[0] == latest[0] else latest))

    def put(self, reader: Reader, place: Place) -> None:
        """Note the place of a process."""
        self._table[_row(reader)] = _numbers(place)


def _numbers(place: Place) -> Tensor:
    return torch.tensor(place, dtype=torch.int64, device="cpu")


def _shared_table() -> Tensor:
    rows = 2 + MOST_WORKERS * (MOST_WORKERS + 1) // 2
    table = torch.zeros(rows, len(Place._fields), dtype=torch.int64, device="cpu")
    table.share_memory_()  # type: ignore[no-untyped-call]
    return table


def _row(reader: Reader) -> int:
    workers, worker = reader
    if workers > MOST_WORKERS:
        raise ValueError(
            f"a stream is read by at most {MOST_WORKERS} workers of a rank, got {workers}"
        )
    return 1 if workers == 0 else 2 + workers * (workers - 1) // 2 + worker


def job_state(state: Mapping[str, Any], *, whole_batches: bool) -> Mapping[str, Any]:
    """The state of a job: of its loader's workers', that of the one which is furthest.

    Args:
        state: Of a stream, or of a loader.
        whole_batches: Whether the stream hands out batches, in one order for all workers.

    Raises:
        ValueError: If there is no state of a stream, or none that tells how far the job was.
    """
    found = sorted(_states(state), key=lambda each: int(each["rows"]))
    if not found:
        raise ValueError(
            f"there is no state of a stream in {state!r:.80}; give what state_dict returned"
        )
    if not whole_batches and found[0]["rows"] != found[-1]["rows"]:
        raise ValueError(
            "several workers handed out rows one by one, each in its own time, so what the job "
            "had is not the first so many rows; give the stream a batch_size, or resume with as "
            "many workers by the loader's own load_state_dict"
        )
    return found[-1]


def _states(state: object) -> Iterator[Mapping[str, Any]]:
    """The states of streams within one, which may be that of a loader: of each of its workers."""
    if not isinstance(state, Mapping):
        return
    if {"rows", "origin", "recipe", "seed", "start"} <= state.keys():
        yield state
        return
    if state.get("_steps_since_snapshot", 0):
        raise ValueError(
            f"the loader's state is {state['_steps_since_snapshot']} batches old; make "
            "StatefulDataLoader with snapshot_every_n_steps=1"
        )
    for part in state.values():
        yield from _states(part)
