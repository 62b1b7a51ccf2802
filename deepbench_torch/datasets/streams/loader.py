"""StreamLoader: a DataLoader of a stream that knows how far the training is."""

from collections.abc import Iterator, Mapping
from multiprocessing.context import BaseContext
from typing import Any

from torch.utils.data import DataLoader

from deepbench_torch.datasets.guard import check_guard, naming_guard
from deepbench_torch.datasets.streams.stream import CatalogueStream


class StreamLoader(DataLoader[Any]):
    """Batches of a stream, and how many of them were taken.

    A DataLoader's workers are ahead of the training by what they have prefetched, and a stream
    itself cannot know by how much. This loader counts what it hands over: its `state_dict`, which
    Lightning saves in its checkpoints, is exact at every batch and goes on with the same rows on
    any number of workers and ranks. An epoch that is left early is over; a stream without end goes
    on with the row after the last that was taken, and nothing made ahead is lost.

    Of a stream without `size` Lightning takes one batch ahead, and so saves a state that is one
    batch ahead; give the stream a size there.

    Args:
        dataset: A stream with a `batch_size`.
        num_workers: Worker processes; 0 for this one.
        persistent_workers: Whether they live on from epoch to epoch.
        prefetch_factor: How many batches each worker makes ahead; None for torch's default.
        pin_memory: As in DataLoader.
        multiprocessing_context: "fork", "spawn" or "forkserver"; None for Python's default.
        sampler: None, for a stream orders its rows itself; Lightning states it.
        batch_sampler: None, likewise.

    Raises:
        ValueError: If the stream hands out rows one by one, or a sampler is given.
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
        if dataset.batch_size is None:
            raise ValueError("StreamLoader takes batches from a stream; give the stream batch_size")
        if sampler is not None or batch_sampler is not None:
            raise ValueError(
                "StreamLoader: expected no sampler, for a stream orders its rows itself; leave out "
                "sampler and batch_sampler"
            )
        super().__init__(
            dataset,
            batch_size=None,
            num_workers=num_workers,
            persistent_workers=persistent_workers,
            prefetch_factor=prefetch_factor,
            pin_memory=pin_memory,
            multiprocessing_context=multiprocessing_context,
        )
        self.stream = dataset
        self._origin = self._rows = int(dataset.state_dict()["rows"])
        self._begun = False
        self._turn: object = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self.num_workers:
            check_guard("StreamLoader")
        self.stream.load_state_dict(self.next_epoch())
        self._origin = self._rows = int(self.stream.state_dict()["rows"])
        self._begun = False
        return self._counted(self._origin)

    def _batches(self) -> Iterator[Any]:
        """Begin an iteration, in whose workers the stream begins where this loader has set it."""
        self.stream.led = True
        try:
            return super().__iter__()
        finally:
            self.stream.led = False

    def state_dict(self) -> dict[str, Any]:
        """How many rows the whole job has taken, all ranks in step."""
        return self.stream.state_at(self._rows)

    def next_epoch(self) -> dict[str, Any]:
        """Return the state in which the next iteration begins; an epoch that was left is over."""
        over = self._begun and self.stream.size is not None
        return self.stream.state_at(self.stream.epoch_end(self._origin) if over else self._rows)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a job was; see `CatalogueStream.load_state_dict`."""
        self.stream.load_state_dict(state)
        self._origin = self._rows = int(self.stream.state_dict()["rows"])
        self._begun = False

    def _counted(self, origin: int) -> Iterator[Any]:
        """Yield the batches and count them; nothing begins before the first is requested."""
        deal, turn = self.stream.deal(origin), object()
        self._turn = turn
        try:
            with naming_guard("StreamLoader"):
                for number, batch in enumerate(self._batches()):
                    self._begun, self._rows = True, origin + deal.done_after(number)
                    yield batch
            self._begun, self._rows = False, self.stream.epoch_end(origin)
        finally:
            if self._turn is turn:  # another loader of this stream goes on from here
                self.stream.load_state_dict(self.stream.state_at(self._rows))
