"""CatalogueStream: rows without end, each assigned to one training process."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, final

import torch
from torch.utils.data import IterableDataset, get_worker_info
from typing_extensions import override

from deepbench_torch.datasets import LARGEST_SIZE, PairTransform, RowDataset, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.fixed import DERIVED, check_not_fixed
from deepbench_torch.datasets.overlap import use_parts
from deepbench_torch.datasets.streams.batches import LAST_ROW, BatchMaker, check_rows
from deepbench_torch.datasets.streams.nesting import refuse_nested_batches
from deepbench_torch.datasets.streams.progress import Progress, Reader, StreamProgress, job_state
from deepbench_torch.datasets.streams.sharding import (
    ParentRank,
    ShardPlan,
    rank_and_world,
    worker_shard,
)
from deepbench_torch.datasets.streams.sources import digest_of, parts_from, stream_source
from deepbench_torch.datasets.targets import Target
from deepbench_torch.numerics.checks import check_device, check_flag, check_integer
from deepbench_torch.recipes import AbstractRecipe

FIXED = frozenset({"source", "start", "size", "batch_size", "drop_last", "device"})
NO_ATTRIBUTES = DERIVED | {
    *("recipe", "seed", "target", "transform", "target_transform", "transforms", "collate_fn"),
}


@final
class CatalogueStream(IterableDataset[Any]):
    """Rows generated on the fly from `start` on, without end or in epochs of `size` rows.

    All ranks and their loaders' workers share the rows: each row is returned once, and every rank
    gets equally many batches. With `batch_size` a stream returns batches, for
    `DataLoader(stream, batch_size=None, num_workers=...)`. The order of rows is then the same for
    any number of ranks and workers: the batches of one step, one for each rank, hold consecutive
    rows. If `size` rows do not fill the last step, the last batches are smaller, and no row is
    omitted or repeated; see `drop_last`.

    Each epoch continues after the rows of the last, so no row is repeated, with persistent or with
    new workers. An epoch that is left early ends. A stream without end that is iterated again
    continues after the rows that its workers have prefetched. Loaders of different numbers of
    workers count their epochs separately.

    `state_dict` is the number of rows that the complete job has consumed, all ranks in step. It
    may be loaded on any number of ranks and workers. In a plain DataLoader only its workers have
    this number. Use a `StreamLoader`, or torchdata's StatefulDataLoader, whose own state
    `load_state_dict` accepts too.

    Args:
        recipe: A packaged recipe's name, a YAML file, a recipe, or a Collection. The members of a
            Collection are interleaved by its weights, or else by their numbers of rows; row r is
            row r of one member. Its target and transforms are the defaults.
        seed: As in Catalogue.
        start: First row. By default a stream starts at row 2**62, beyond every Catalogue, so it
            never repeats validation or test rows. From another `start` it may; a warning reports a
            split that is in use in this process.
        size: Rows in an epoch on all ranks together; None for no end.
        batch_size: Rows in a batch of one rank; None to return rows one by one.
        drop_last: Whether to omit the rows of an epoch that do not fill a batch on every rank.
            Batches of one row, and rows one by one, always omit fewer rows than ranks.
        image_size: As in Catalogue.
        realization: As in Catalogue.
        target: As in Catalogue. If None, "label", or the target of the collection.
        transform: Function of each image or series, as in Catalogue.
        target_transform: Function of each target.
        transforms: Function of both together, instead of the two others.
        collate_fn: Function that makes a batch of a list of rows; None for torch's default.
        device: Device that renders images; without workers only if it is not "cpu".

    Raises:
        ValueError: If an argument is invalid.
        FileNotFoundError: If the recipe's YAML file does not exist.

    Example:
        >>> import deepbench_torch as db
        >>> stream = db.CatalogueStream("astro", batch_size=16, size=32)
        >>> [len(label) for _, label in stream]
        [16, 16]
    """

    def __init__(
        self,
        recipe: str | Path | AbstractRecipe | Collection,
        *,
        seed: int | None = None,
        start: int | None = None,
        size: int | None = None,
        batch_size: int | None = None,
        drop_last: bool = False,
        image_size: int | tuple[int, int] | None = None,
        realization: int | None = None,
        target: Target | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        super().__init__()
        self.source = stream_source(
            recipe,
            seed=seed,
            image_size=image_size,
            realization=realization,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        first = LARGEST_SIZE if start is None else start
        self.start = check_integer(
            first,
            "start: expected a row number from 0 to 2**63 - 1",
            least=0,
            most=LAST_ROW,
            remedy="omit start to begin beyond every catalogue",
        )
        self.size = _number(size, "size: expected None or a positive number of rows")
        check_rows(self.start + (self.size or 1) - 1)
        if start is not None and start < LARGEST_SIZE:
            use_parts(self, parts_from(self.source, self.start))
        self.batch_size = _number(batch_size, "batch_size: expected None or a positive number")
        self.drop_last = check_flag(drop_last, where="drop_last")
        self.device = check_device(device)
        self._maker = BatchMaker(self.source, self.batch_size, collate_fn, self.device)
        self._progress = StreamProgress()
        self._parent_rank: ParentRank | None = None
        self.follows_loader = False  # whether a loader sets the row before each iteration

    def __setattr__(self, name: str, value: Any) -> None:
        check_not_fixed(self, name, value=value, fixed=FIXED, derived=NO_ATTRIBUTES)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_parent_rank": self.rank_and_world()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        parent = ParentRank(os.getpid(), *state["_parent_rank"])
        self.__dict__.update(state | {"_parent_rank": parent})

    @property
    def recipe(self) -> AbstractRecipe:
        """Recipe of the rows, or of the first member of a collection."""
        return self._first.recipe

    @property
    def seed(self) -> int:
        """Seed of the rows, or of the first member of a collection."""
        return self._first.seed

    @property
    def _first(self) -> RowDataset:
        return self.source.members[0] if isinstance(self.source, Collection) else self.source

    @property
    def classes(self) -> list[str]:
        """Names of the labels, in their order."""
        return self.source.classes

    def __len__(self) -> int:
        """Return the number of batches of one rank in an epoch, or of its rows one by one."""
        steps = self.shard_plan(0).steps
        if steps is None:
            raise TypeError("len: expected a stream with a size, got size=None; set size")
        return steps

    @override
    def __getitem__(self, key: object) -> NoReturn:
        raise TypeError(
            f"CatalogueStream: expected iteration, for rows have no index, got {key!r:.60}; use a "
            "Catalogue for indices, samplers, Subset and random_split"
        )

    def __iter__(self) -> Iterator[Any]:
        refuse_nested_batches(sys._getframe(1), batch_size=self.batch_size)
        reader = _reader()
        if reader.workers and self.device.type != "cpu":
            raise ValueError(
                f"CatalogueStream: expected num_workers=0 with device {str(self.device)!r}, got "
                f"{reader.workers} workers; use num_workers=0, or device='cpu'"
            )
        stored = self._progress
        progress = stored.latest_restart() if self.follows_loader else stored.get(reader)
        if progress.started and self.size is not None:  # the last epoch ended or was left early
            end = self.epoch_end(progress.origin)
            progress = progress._replace(origin=end, rows=end)
        progress = progress._replace(started=True)
        stored.store(reader, progress)
        return self._iterate(reader, progress)

    def shard_plan(self, origin: int) -> ShardPlan:
        """Return the steps from a row to the end of its epoch, for the present number of ranks.

        Args:
            origin: Row, counted from `start`.

        Raises:
            ValueError: If a complete epoch has no batch for every rank.
        """
        world = self.rank_and_world()[1]
        remaining = None if self.size is None else self.epoch_end(origin) - origin
        plan = ShardPlan(remaining, world, self.batch_size or 1, self.drop_last)
        if remaining == self.size and plan.steps == 0:
            raise ValueError(
                f"size: expected a batch of {plan.batch} rows for each of {world} ranks, got an "
                f"epoch of {self.size} rows; use a larger size or a smaller batch_size"
            )
        return plan

    def epoch_end(self, origin: int) -> int:
        """Return the row after the epoch that contains a row, both counted from `start`."""
        if self.size is None:
            raise TypeError("epochs: expected a stream with a size, got size=None; set size")
        return (origin // self.size + 1) * self.size

    def rank_and_world(self) -> tuple[int, int]:
        """Return the rank of the training process and the number of ranks, also in a worker."""
        parent, info = self._parent_rank, get_worker_info()
        if parent is not None and info is not None and parent.process == os.getpid():
            return parent.rank, parent.world  # a worker cannot find them itself
        return rank_and_world()

    def state_dict(self) -> dict[str, Any]:
        """Return the progress of the job; in a worker, by the batches that it has returned."""
        progress = self._progress.get(_reader())
        return self.state_at(progress.rows) | {"origin": progress.origin}

    def state_at(self, rows: int) -> dict[str, Any]:
        """Return the state after a number of rows, consumed by all ranks together."""
        return {
            "rows": rows,
            "origin": rows,
            "start": self.start,
            "seed": self.seed,
            "recipe": digest_of(self.source),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume a job, on any number of ranks and workers.

        Args:
            state: State of a stream, a StreamLoader, or torchdata's StatefulDataLoader of such a
                stream.

        Raises:
            ValueError: If the state is of another stream, or is not exact.
        """
        saved = job_state(state, has_batches=self.batch_size is not None)
        for name in ("recipe", "seed", "start"):
            own = self.state_at(0)[name]
            if saved[name] != own:
                raise ValueError(
                    f"load_state_dict: expected the state of a stream with {name} {own!r}, got "
                    f"one with {saved[name]!r}; make the stream with its arguments, or start a new "
                    "stream without the state"
                )
        reader = _reader()
        if reader.workers == 0:
            self._progress.restart_at(saved["rows"])
            return
        restart = self._progress.get(reader).restart
        self._progress.store(reader, Progress(restart, False, saved["origin"], saved["rows"]))

    def _iterate(self, reader: Reader, progress: Progress) -> Iterator[Any]:
        """Yield batches or rows; store the progress before each, and after the last."""
        plan, origin = self.shard_plan(progress.origin), progress.origin
        shard = worker_shard(
            plan,
            rank=self.rank_and_world()[0],
            worker=reader.worker,
            workers=max(1, reader.workers),
            done=progress.rows - origin,
        )
        for step, batch in self._maker.batches(shard, self.start + origin):
            self._progress.store(reader, progress._replace(rows=origin + plan.done_after(step)))
            yield batch
        end = self.epoch_end(origin)
        self._progress.store(reader, Progress(progress.restart, False, end, end))


def _reader() -> Reader:
    info = get_worker_info()
    return Reader(0, 0) if info is None else Reader(info.num_workers, info.id)


def _number(value: int | None, rule: str) -> int | None:
    if value is None:
        return None
    return check_integer(value, rule, least=1, most=LARGEST_SIZE, remedy="use 1 or more")
