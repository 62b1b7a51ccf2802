"""An order and a job: what the writer of a format needs to know and to have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepbench_torch.storage.contents import Contents
from deepbench_torch.storage.crew import Crew
from deepbench_torch.storage.parts import Part, all_parts
from deepbench_torch.storage.progress import Bar


@dataclass(frozen=True)
class Order:
    """What is to be written, and how it is cut.

    Attributes:
        contents: What to write.
        path: Its final name.
        compression: As in materialize.
        shard_rows: As in materialize.
    """

    contents: Contents
    path: Path
    compression: str | None
    shard_rows: int | None


@dataclass(frozen=True)
class Job(Order):
    """The writing of one catalogue.

    Attributes:
        folder: For work that a later call goes on with; nothing in it is final.
        crew: Who makes rows.
        bar: Shows how many rows are done.
    """

    folder: Path
    crew: Crew
    bar: Bar

    def parts(self) -> Iterator[Part]:
        """All rows in order, part by part, made by the crew; what an earlier call made is kept."""
        recipe, seed, _, _, rows = self.contents
        for part in all_parts(recipe, seed, rows, folder=self.folder, crew=self.crew):
            yield part
            self.bar.update(len(part.data))
