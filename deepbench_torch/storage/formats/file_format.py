"""FileFormat: one row of the table of file formats."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.rows import RowReader
from deepbench_torch.storage.work.chunks import Array
from deepbench_torch.storage.work.job import Job, Order


def _nothing(_: Description) -> dict[str, str]:
    """Return no lines."""
    return {}


def _no_shards(_: Order) -> Path | None:
    """Return no folder."""
    return None


@dataclass(frozen=True)
class FileFormat:
    """Properties of one file format; everything that other modules know of it.

    A format is a folder that `write_folder` writes, unless it has `describe`.

    Attributes:
        write: Writes a new file or folder at a path; `materialize` moves it into place.
        open: Opens the rows of a stored catalogue in one process.
        example: Returns Python code that reads a catalogue, for its card.
        suffixes: Endings of names that promise this format, the usual one first.
        info: Returns the lines of this format in `deepbench-torch info`, by name.
        notes: Returns its lines in the card of a catalogue, by name.
        row_suffix: Ending of the file of one row; None if rows share their files.
        read_row: Reads the data of the file of one row, shape `recipe.shape`. Two files of the same
            row may differ in other bytes, which the libraries write.
        exact: Whether stored rows are bit-identical to generated rows.
        describe: Reads the metadata of a format that is a single file; None for a folder.
        compressions: Names of its compressions, besides None.
        extensions: Names of the further images that it can hold beside each row.
        shards: Returns the folder of shards beside a file; None if there are none.
    """

    write: Callable[[Job, Path], None]
    open: Callable[[Description], RowReader]
    example: Callable[[Description], str]
    suffixes: tuple[str, ...]
    info: Callable[[Description], dict[str, str]] = _nothing
    notes: Callable[[Description], dict[str, str]] = _nothing
    row_suffix: str | None = None
    read_row: Callable[[Path, AbstractRecipe], Array] | None = None
    exact: bool = True
    describe: Callable[[Path], Description] | None = None
    compressions: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    shards: Callable[[Order], Path | None] = _no_shards

    @property
    def is_folder(self) -> bool:
        """Whether a catalogue of this format is a folder."""
        return self.describe is None

    @property
    def same(self) -> Literal["bytes", "pixels"]:
        """Part of the files that the same recipe and seed always reproduce."""
        return "bytes" if self.read_row is None else "pixels"
