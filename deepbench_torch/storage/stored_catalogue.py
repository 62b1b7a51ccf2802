"""StoredCatalogue: the rows of a stored catalogue."""

import os
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.datasets import (
    PairTransform,
    RowDataset,
    Split,
    Transform,
)
from deepbench_torch.datasets.targets import Target, target_rows
from deepbench_torch.generate import generate
from deepbench_torch.numerics.checks import check_flag
from deepbench_torch.numerics.row_numbers import check_seed
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.samples import own_rows
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.formats.rows import RowReader
from deepbench_torch.storage.verify import verified


@final
class StoredCatalogue(RowDataset):
    """Rows of a stored catalogue of any format, bit for bit those of the Catalogue.

    Only "jpeg" rounds: its rows are brightness again, by the inverse of the stored scale, with the
    loss of 8 bits and of JPEG itself; `repr` states it.

    Images or series and labels come from the files, mapped into memory where h5 and npy are not
    compressed; the other targets are made again from the recipe in them. Files are opened when the
    first row is used, and nothing open is pickled. A file of a stranger is safe to open: it reads
    nothing but itself.

    Args:
        path: The file or folder that `materialize` wrote, or a folder that holds only this.
        split: "train", "val", "test" or None, as in Catalogue; a file of one split holds only it.
        limit: Use only this many rows of the split, as in Catalogue.
        target: As in Catalogue.
        transform: Called with the image or series, as in Catalogue.
        target_transform: Called with the target.
        transforms: Called with both together, instead of the two before.
        recipe: Refuse a file of another recipe than this; None to take any. Of keys that change no
            row, as `zero_point`, its values are used.
        seed: Refuse a file of another seed than this; None to take any.
        verify: Whether to check every byte of it against its checksums first.

    Raises:
        FileNotFoundError: If there is no catalogue.
        OSError: If the system refuses to read it, with the remedy.
        ValueError: If it is not a complete catalogue of this package, or has another recipe, seed
            or split than requested.

    Example:
        >>> import deepbench_torch as db, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> catalogue = db.Catalogue("astro", size=10)
        >>> path = db.materialize(catalogue, folder.name + "/a", format="npy", progress=False)
        >>> db.StoredCatalogue(path, split="val")[0][0].shape
        torch.Size([1, 28, 28])
        >>> folder.cleanup()
    """

    in_file = True

    def __init__(
        self,
        path: str | Path,
        *,
        split: Split | None = None,
        limit: int | None = None,
        target: Target = "label",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
        recipe: str | Path | AbstractRecipe | None = None,
        seed: int | None = None,
        verify: bool = False,
    ) -> None:
        seed = None if seed is None else check_seed(seed)
        checked = check_flag(verify, where="StoredCatalogue.verify")
        stored = verified(path) if checked else describe(path)
        _check_request(stored, recipe=recipe, seed=seed, split=split)
        super().__init__(
            stored.recipe if recipe is None else load_recipe(recipe),
            seed=stored.seed,
            size=stored.size,
            split=stored.split if split is None else split,
            limit=limit,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self.path = stored.path.resolve()
        self.stored = stored._replace(path=self.path)
        self._open_rows: tuple[int, RowReader] | None = None  # of the process of this number

    @property
    def format(self) -> str:
        """The format of the files."""
        return self.stored.format

    @override
    def extra_repr(self) -> str:
        rounded = "" if FORMATS[self.format].exact else ", brightness rounded to 8 bits"
        lines = f"{super().extra_repr()}\nFormat: {self.format}{rounded}"
        return f"Root location: {self.path}\n{lines}"

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_open_rows": None}

    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        process = os.getpid()
        if self._open_rows is None or self._open_rows[0] != process:
            self._open_rows = process, self._open()
        indices = np.asarray(rows, dtype=np.int64) - self.stored.rows.start
        data, labels = map(torch.from_numpy, self._open_rows[1].read(indices))
        if self.target == "label":
            return data, labels.tolist() if labels.dim() == 1 else own_rows(labels)
        sample = generate(
            self.recipe, self.seed, torch.tensor(rows, dtype=torch.int64, device="cpu")
        )
        return data, target_rows(sample, self.target)

    def _open(self) -> RowReader:
        now = describe(self.path)
        if (now.seed, now.checksum, now.format) != (self.seed, self.stored.checksum, self.format):
            raise ValueError(
                f"{str(self.path)!r} was replaced after this dataset was made; make the dataset "
                "again"
            )
        return FORMATS[self.format].open(now)


def _check_request(
    stored: Description,
    *,
    recipe: str | Path | AbstractRecipe | None,
    seed: int | None,
    split: Split | None,
) -> None:
    """Refuse a catalogue of another recipe, seed or split than requested."""
    path = stored.path
    remedy = "write it again with overwrite=True, or omit this argument"
    if recipe is not None and load_recipe(recipe).digest != stored.recipe.digest:
        raise ValueError(
            f"{str(path)!r} holds recipe {stored.recipe.name} ({stored.recipe.digest:.8}), but "
            f"{load_recipe(recipe).name} ({load_recipe(recipe).digest:.8}) was requested; {remedy}"
        )
    if seed is not None and seed != stored.seed:
        raise ValueError(
            f"{str(path)!r} has seed {stored.seed}, but seed {seed} was requested; {remedy}"
        )
    if stored.split is not None and split not in (None, stored.split):
        raise ValueError(
            f"{str(path)!r} holds the split {stored.split!r} only, but {split!r} was "
            "requested; write the complete catalogue to get all splits"
        )
