"""An order and a job: what the writer of a format needs to know and to have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.work.chunks import Chunk, all_chunks
from deepbench_torch.storage.work.progress import Bar
from deepbench_torch.storage.work.workers import Workers


@dataclass(frozen=True)
class Order:
    """What is to be written, and how it is cut.

    Attributes:
        metadata: What to write.
        path: Its final name.
        compression: As in materialize.
        shard_rows: As in materialize.
    """

    metadata: Metadata
    path: Path
    compression: str | None
    shard_rows: int | None


@dataclass(frozen=True)
class Job(Order):
    """The writing of one catalogue.

    Attributes:
        folder: For work that a later call goes on with; nothing in it is final.
        workers: Who makes rows.
        bar: Shows how many rows are done.
    """

    folder: Path
    workers: Workers
    bar: Bar

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows in order by chunks; those of an earlier call are not made again."""
        recipe, seed, _, _, rows = self.metadata
        for chunk in all_chunks(recipe, seed, rows, folder=self.folder, workers=self.workers):
            yield chunk
            self.bar.update(len(chunk.data))
