"""Description: the metadata of a stored catalogue, whatever its format."""

from pathlib import Path
from typing import Any, NamedTuple

from deepbench_torch.datasets import Catalogue, Split, split_rows
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.paths import files_in
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.reading import reading


class Description(NamedTuple):
    """Metadata of a stored catalogue of any format.

    Attributes:
        path: The file or folder.
        format: Name of its format, a key of FORMATS.
        recipe: Recipe of the rows.
        seed: Their seed.
        size: Number of rows of the catalogue before splitting.
        split: Split that the rows are; None for all.
        checksum: SHA-256 of its rows, in hexadecimal.
        attributes: All metadata, by name.
        options: Arguments of `materialize` that it was written with.
        files: Further files, such as shards.
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
        """Row numbers."""
        return split_rows(self.size, self.split)

    @property
    def metadata(self) -> Metadata:
        """Metadata as its writer has them."""
        return Metadata(self.recipe, self.seed, self.size, self.split, self.rows)

    @property
    def bytes(self) -> int:
        """Size on disk [byte], counted again at every access."""
        with reading(self.path):
            inside = files_in(self.path) if self.path.is_dir() else (self.path, *self.files)
            return sum(file.lstat().st_size for file in inside)

    def catalogue(self, *, size: int | None = None) -> Catalogue:
        """Return the catalogue that it was written from, or one of another size."""
        return Catalogue(self.recipe, size=size or self.size, seed=self.seed, split=self.split)
