"""StreamLoader: a DataLoader of a stream with an exact training state."""

from collections.abc import Iterator, Mapping
from multiprocessing.context import BaseContext
from typing import Any

from torch.utils.data import DataLoader

from deepbench_torch.datasets.guard import check_guard, naming_guard
from deepbench_torch.datasets.streams.stream import CatalogueStream
from deepbench_torch.numerics.checks import check_integer


class StreamLoader(DataLoader[Any]):
    """DataLoader of a stream that counts the batches that the training received.

    The workers of a DataLoader prefetch, so a stream cannot know the number of batches that the
    training received. This loader counts them. Its `state_dict`, which Lightning saves in its
    checkpoints, is exact after every batch, for any number of workers and ranks. An epoch that is
    left early ends. A stream without end continues after the last row that the training received.
    No prefetched row is lost.

    For a stream without `size` Lightning fetches one batch in advance. Its saved state is then one
    batch too far, so use a stream with a size.

    Args:
        dataset: Stream with a `batch_size`.
        num_workers: Number of worker processes; 0 for this process.
        persistent_workers: Whether the workers are kept from epoch to epoch.
        prefetch_factor: Number of batches that each worker prefetches; None for torch's default.
        pin_memory: As in DataLoader.
        multiprocessing_context: "fork", "spawn" or "forkserver"; None for Python's default.
        sampler: None, because a stream orders its rows itself; Lightning passes it.
        batch_sampler: None, likewise.

    Raises:
        ValueError: If the stream has no `batch_size`, or a sampler is given.

    Example:
        >>> import deepbench_torch as db
        >>> loader = db.StreamLoader(db.CatalogueStream("astro", batch_size=16, size=32))
        >>> [tuple(image.shape) for image, _ in loader]
        [(16, 1, 28, 28), (16, 1, 28, 28)]
    """

    def __init__(
        self,
        dataset: CatalogueStream,
        *,
        num_workers: int = 0,
        persistent_workers: bool = False,
        prefetch_factor: int | None = None,
        pin_memory: bool = False,
        multiprocessing_context: str | BaseContext | None = None,
        sampler: None = None,
        batch_sampler: None = None,
    ) -> None:
        if not isinstance(dataset, CatalogueStream):
            raise TypeError(
                f"StreamLoader: expected a CatalogueStream, got {type(dataset).__name__}; use "
                "db.CatalogueStream(recipe, batch_size=64), or a DataLoader for a Catalogue"
            )
        if dataset.batch_size is None:
            raise ValueError(
                "StreamLoader: expected a stream of batches, got batch_size=None; set batch_size "
                "in the stream"
            )
        if sampler is not None or batch_sampler is not None:
            raise ValueError(
                "StreamLoader: expected no sampler, for a stream orders its rows itself, got "
                "sampler or batch_sampler; omit both"
            )
        super().__init__(
            dataset,
            batch_size=None,
            num_workers=check_integer(
                num_workers,
                "StreamLoader.num_workers: expected a whole number >= 0",
                least=0,
                most=1 << 15,
                remedy="set the number of processes, 0 for this one",
            ),
            persistent_workers=persistent_workers,
            prefetch_factor=prefetch_factor,
            pin_memory=pin_memory,
            multiprocessing_context=multiprocessing_context,
        )
        self.stream = dataset
        self._origin = self._rows = int(dataset.state_dict()["rows"])
        self._started = False
        self._iteration: object = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self.num_workers:
            check_guard("StreamLoader")
        self.stream.load_state_dict(self.next_epoch())
        self._origin = self._rows = int(self.stream.state_dict()["rows"])
        self._started = False
        return self._counted(self._origin)

    def _batches(self) -> Iterator[Any]:
        """Start an iteration whose workers start at the row that this loader has set."""
        self.stream.follows_loader = True
        try:
            return super().__iter__()
        finally:
            self.stream.follows_loader = False

    def state_dict(self) -> dict[str, Any]:
        """Return the number of rows that all ranks received, with the identity of the stream."""
        return self.stream.state_at(self._rows)

    def next_epoch(self) -> dict[str, Any]:
        """Return the state in which the next iteration starts; an epoch left early has ended."""
        ended = self._started and self.stream.size is not None
        return self.stream.state_at(self.stream.epoch_end(self._origin) if ended else self._rows)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume a job; see `CatalogueStream.load_state_dict`."""
        self.stream.load_state_dict(state)
        self._origin = self._rows = int(self.stream.state_dict()["rows"])
        self._started = False

    def _counted(self, origin: int) -> Iterator[Any]:
        """Yield the batches and count them; workers start when the first is requested."""
        plan, iteration = self.stream.shard_plan(origin), object()
        self._iteration = iteration
        try:
            with naming_guard("StreamLoader"):
                for step, batch in enumerate(self._batches()):
                    self._started, self._rows = True, origin + plan.done_after(step)
                    yield batch
            self._started, self._rows = False, self.stream.epoch_end(origin)
        finally:
            if self._iteration is iteration:  # another loader of this stream continues from here
                self.stream.load_state_dict(self.stream.state_at(self._rows))
