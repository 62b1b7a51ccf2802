"""Order and Job: the arguments of the writer of a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.work.chunks import Chunk, all_chunks
from deepbench_torch.storage.work.progress import Bar
from deepbench_torch.storage.work.workers import Workers


@dataclass(frozen=True)
class Order:
    """Catalogue to write, and its division into files.

    Attributes:
        metadata: Its metadata.
        path: Its final name.
        compression: As in materialize.
        shard_rows: As in materialize.
        extensions: As in materialize.
    """

    metadata: Metadata
    path: Path
    compression: str | None
    shard_rows: int | None
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class Job(Order):
    """The writing of one catalogue.

    Attributes:
        folder: Work folder, which a later call resumes; nothing in it is final.
        workers: Workers that generate rows.
        bar: Progress bar, counting rows.
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
