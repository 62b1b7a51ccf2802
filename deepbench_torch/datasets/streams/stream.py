"""CatalogueStream: rows without end, dealt to every process that trains."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, final

import torch
from torch.utils.data import IterableDataset, get_worker_info

from deepbench_torch.arguments import check_integer
from deepbench_torch.datasets import LARGEST_SIZE, PairTransform, RowDataset, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.overlap import use_parts
from deepbench_torch.datasets.streams.batches import LAST_ROW, BatchMaker, check_rows
from deepbench_torch.datasets.streams.nesting import refuse_nested_batches
from deepbench_torch.datasets.streams.progress import Place, Places, Reader, job_state
from deepbench_torch.datasets.streams.sharding import Deal, lane, rank_and_world
from deepbench_torch.datasets.streams.sources import digest_of, parts_from, stream_source
from deepbench_torch.datasets.targets import Target
from deepbench_torch.recipes import AbstractRecipe


class Told(NamedTuple):
    """What the training process said of itself to the process that it started."""

    process: int
    rank: int
    world: int


@final
class CatalogueStream(IterableDataset[Any]):
    """Rows made on the fly, from `start` on, without end or in epochs of `size` rows.

    Rows are dealt to all ranks and their loader's workers so that together they have each row
    once, every rank as many batches as any other. With `batch_size` a stream hands out batches,
    each made at once, for `DataLoader(stream, batch_size=None, num_workers=...)`, and the rows come
    in the same order for any number of ranks and workers: those of a round, one batch for each
    rank, follow one another. If `size` rows do not come out even, the batches of the last round or
    two are smaller, and nothing is left out or repeated; see `drop_last`.

    Each epoch goes on where the last ended, so no row comes twice, with persistent workers as with
    new ones. An epoch that is left early is over; a stream without end that is left and begun again
    goes on after what its workers had made ahead. Loaders of other numbers of workers count their
    epochs apart.

    `state_dict` is how many rows the whole job has consumed, all ranks in step, and may be loaded
    on any number of ranks and workers. Within a plain DataLoader only its workers know; take a
    `StreamLoader`, or torchdata's StatefulDataLoader, whose own state `load_state_dict` reads too.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe. Or a Collection: then its
            members take turns in the proportion of its weights, or else of their rows, and row r is
            row r of the member whose turn it is; its target and transforms are used if none is
            given.
        seed: As in Catalogue.
        start: The first row. By default a stream begins at row 2**62, which no Catalogue reaches
            whatever its size, so it never repeats validation or test rows. From another `start` it
            may; a warning reports a split that is in use in this process.
        size: Rows in an epoch, over all ranks; None for no end.
        batch_size: Rows in a batch of one rank; None to hand out rows one by one.
        drop_last: Leave out the rows of an epoch that do not fill a batch on every rank. (Batches
            of one row, and rows one by one, leave out fewer rows than there are ranks in any case.)
        image_size: As in Catalogue.
        target: As in Catalogue; "label", or that of the collection, if None.
        transform: Called with each image or series, as in Catalogue.
        target_transform: Called with each target.
        transforms: Called with both together, instead of the two before.
        collate_fn: Makes a batch of a list of rows; None for torch's own way.
        device: Where images are drawn; other than "cpu" only without workers.

    Raises:
        ValueError: If an argument is not as above.
        FileNotFoundError: If the recipe's YAML file does not exist.
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
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        first = LARGEST_SIZE if start is None else start
        self.start = check_integer(first, "start must be a row number", least=0, most=LAST_ROW)
        self.size = _number(size, "size must be None or a positive number of rows")
        check_rows(self.start + (self.size or 1) - 1)
        if start is not None and start < LARGEST_SIZE:
            use_parts(self, parts_from(self.source, self.start))
        self.batch_size = _number(batch_size, "batch_size must be None or a positive number")
        self.drop_last = drop_last
        self.device = torch.device(device)
        self._maker = BatchMaker(self.source, self.batch_size, collate_fn, self.device)
        self._places = Places()
        self._told: Told | None = None
        self.led = False  # whether a loader sets the place before each iteration

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_told": self.rank_and_world()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"_told": Told(os.getpid(), *state["_told"])})

    @property
    def recipe(self) -> AbstractRecipe:
        """Recipe of the rows; of a collection that of its first member."""
        return self._first.recipe

    @property
    def seed(self) -> int:
        """Seed of the rows; of a collection that of its first member."""
        return self._first.seed

    @property
    def _first(self) -> RowDataset:
        return self.source.members[0] if isinstance(self.source, Collection) else self.source

    @property
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""
        return self.source.classes

    def __len__(self) -> int:
        """How many batches one rank gets in an epoch; how many rows, if they come one by one."""
        rounds = self.deal(0).rounds
        if rounds is None:
            raise TypeError("a stream without end has no length; give it a size for epochs")
        return rounds

    def __iter__(self) -> Iterator[Any]:
        refuse_nested_batches(sys._getframe(1), batch_size=self.batch_size)
        reader = _reader()
        if reader.workers and self.device.type != "cpu":
            raise ValueError(
                f"a stream on device {str(self.device)!r} draws in the training process; use "
                "num_workers=0, or device='cpu'"
            )
        place = self._places.latest() if self.led else self._places.get(reader)
        if place.begun and self.size is not None:  # the epoch before was left, at its end or not
            end = self.epoch_end(place.origin)
            place = place._replace(origin=end, rows=end)
        place = place._replace(begun=True)
        self._places.put(reader, place)
        return self._iterate(reader, place)

    def deal(self, origin: int) -> Deal:
        """The rounds from a place to the end of its epoch, for the ranks that there are.

        Raises:
            ValueError: If a whole epoch has no batch for every rank.
        """
        world = self.rank_and_world()[1]
        left = None if self.size is None else self.epoch_end(origin) - origin
        deal = Deal(left, world, self.batch_size or 1, self.drop_last)
        if left == self.size and deal.rounds == 0:
            raise ValueError(
                f"an epoch of {self.size} rows has no batch of {deal.batch} for each of {world} "
                "ranks; give a larger size or a smaller batch_size"
            )
        return deal

    def epoch_end(self, origin: int) -> int:
        """The place after the epoch that a place lies in."""
        if self.size is None:
            raise TypeError("a stream without end has no epochs; give it a size")
        return (origin // self.size + 1) * self.size

    def rank_and_world(self) -> tuple[int, int]:
        """Which of how many training processes this one is or works for."""
        told, info = self._told, get_worker_info()
        if told is not None and info is not None and told.process == os.getpid():
            return told.rank, told.world  # as this worker cannot find out by itself
        return rank_and_world()

    def state_dict(self) -> dict[str, Any]:
        """How far the job has come, in a DataLoader's worker by what it has handed over itself."""
        place = self._places.get(_reader())
        return self.state_at(place.rows) | {"origin": place.origin}

    def state_at(self, rows: int) -> dict[str, Any]:
        """The state when the job has consumed so many rows, all ranks together."""
        return {
            "rows": rows,
            "origin": rows,
            "start": self.start,
            "seed": self.seed,
            "recipe": digest_of(self.source),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a job was, whatever its ranks and workers.

        Args:
            state: Of a stream, a StreamLoader, or torchdata's StatefulDataLoader of such a stream.

        Raises:
            ValueError: If the state is of another stream, or does not tell where the job was.
        """
        found = job_state(state, whole_batches=self.batch_size is not None)
        for name in ("recipe", "seed", "start"):
            mine = self.state_at(0)[name]
            if found[name] != mine:
                raise ValueError(
                    f"the state is of a stream with {name} {found[name]!r}, this one has {mine!r}; "
                    "make the stream as it was, or begin a new one without the state"
                )
        reader = _reader()
        if reader.workers == 0:
            self._places.begin_at(found["rows"])
            return
        order = self._places.get(reader).order
        self._places.put(reader, Place(order, False, found["origin"], found["rows"]))

    def _iterate(self, reader: Reader, place: Place) -> Iterator[Any]:
        """Batches or rows; the place is moved before each is handed out, and after the last."""
        deal = self.deal(place.origin)
        mine = lane(
            deal,
            rank=self.rank_and_world()[0],
            worker=reader.worker,
            workers=max(1, reader.workers),
            done=place.rows - place.origin,
        )
        for number, made in self._maker.made(mine, self.start + place.origin):
            self._places.put(reader, place._replace(rows=place.origin + deal.done_after(number)))
            yield made
        end = self.epoch_end(place.origin)
        self._places.put(reader, Place(place.order, False, end, end))


def _reader() -> Reader:
    info = get_worker_info()
    return Reader(0, 0) if info is None else Reader(info.num_workers, info.id)


def _number(value: int | None, rule: str) -> int | None:
    return None if value is None else check_integer(value, rule, least=1, most=LARGEST_SIZE)
