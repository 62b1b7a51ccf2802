"""Description: the metadata of a stored catalogue, whatever its format."""

from pathlib import Path
from typing import Any, NamedTuple

from deepbench_torch.datasets import Catalogue, Split, split_rows
from deepbench_torch.paths import files_in
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.reading import reading


class Description(NamedTuple):
    """Metadata of a stored catalogue of any format.

    Attributes:
        path: The file or folder.
        format: Name of its format, a key of FORMATS.
        recipe: What the rows hold.
        seed: Their seed.
        size: How many rows the catalogue has before splitting.
        split: Which of them it is; None for all.
        checksum: SHA-256 of its rows, in hexadecimal.
        attributes: All metadata, by name.
        options: The arguments of `materialize` that it was written with.
        files: Its files outside of `path` if that is a file, such as shards.
    """

    path: Path
    format: str
    recipe: AbstractRecipe
    seed: int
    size: int
    split: Split | None
    checksum: str
    attributes: dict[str, Any]
    options: dict[str, Any]
    files: tuple[Path, ...] = ()

    @property
    def rows(self) -> range:
        """The numbers of its rows."""
        return split_rows(self.size, self.split)

    @property
    def metadata(self) -> Metadata:
        """What it holds, as its writer has it."""
        return Metadata(self.recipe, self.seed, self.size, self.split, self.rows)

    @property
    def bytes(self) -> int:
        """Its size on disk; counted anew at every access."""
        with reading(self.path):
            inside = files_in(self.path) if self.path.is_dir() else (self.path, *self.files)
            return sum(file.lstat().st_size for file in inside)

    def catalogue(self, *, size: int | None = None) -> Catalogue:
        """Return the catalogue that it was written from, or one of another size."""
        return Catalogue(self.recipe, size=size or self.size, seed=self.seed, split=self.split)
