"""StoredCatalogue: the rows of a stored catalogue."""

import os
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from deepbench_torch.datasets import (
    PairTransform,
    RowDataset,
    Split,
    Transform,
)
from deepbench_torch.generate import generate
from deepbench_torch.paths import user_path
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.samples import own_rows
from deepbench_torch.storage.blocks import OpenBlocks
from deepbench_torch.storage.header import Header, read_header
from deepbench_torch.storage.verify import verified_header
from deepbench_torch.targets import Target, target_rows


@final
class StoredCatalogue(RowDataset):
    """The rows of a stored catalogue, the same as the Catalogue's bit for bit.

    Images or series come from the file, mapped into memory where they are not compressed, and
    labels too; the other targets are made again from the recipe in the file. Nothing is open
    until the first row is asked for, and nothing open is pickled.

    Args:
        path: The file.
        split: "train", "val", "test" or None, as in Catalogue; a file of one split holds only it.
        limit: Use only this many rows of the split, as in Catalogue.
        target: As in Catalogue.
        transform: Called with the image or series, as in Catalogue.
        target_transform: Called with the target.
        transforms: Called with both together, instead of the two before.
        recipe: Refuse a file of another recipe than this; None to take any.
        seed: Refuse a file of another seed than this; None to take any.
        verify: Whether to check every byte of it against its checksums first.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is not a complete catalogue of this package, or not the one asked for.
    """

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
        header = verified_header(path) if verify else read_header(path)
        _check_asked(path, header, recipe=recipe, seed=seed, split=split)
        super().__init__(
            header.recipe,
            seed=header.seed,
            size=header.size,
            split=header.split if split is None else split,
            limit=limit,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self.path = user_path(path).resolve()
        self.header = header
        self._blocks: OpenBlocks | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_blocks": None}

    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        if self._blocks is None or self._blocks.process != os.getpid():
            self._blocks = self._open()
        places = np.asarray(rows, dtype=np.int64) - self.header.rows.start
        data, labels = map(torch.from_numpy, self._blocks.read(places))
        if self.target == "label":
            return data, labels.tolist() if labels.dim() == 1 else own_rows(labels)
        sample = generate(self.recipe, self.seed, torch.tensor(rows, dtype=torch.int64))
        return data, target_rows(sample, self.target)

    def _open(self) -> OpenBlocks:
        now = read_header(self.path)
        if (now.seed, now.attributes["sha256"]) != (self.seed, self.header.attributes["sha256"]):
            raise ValueError(
                f"{str(self.path)!r} was replaced after this dataset was made; make the dataset "
                "again"
            )
        return OpenBlocks(self.path, now)


def _check_asked(
    path: str | Path,
    header: Header,
    *,
    recipe: str | Path | AbstractRecipe | None,
    seed: int | None,
    split: Split | None,
) -> None:
    """Refuse a file that is not the one asked for."""
    remedy = "write it again with overwrite=True, or open it without asking for another"
    if recipe is not None and load_recipe(recipe).digest != header.recipe.digest:
        raise ValueError(
            f"{str(path)!r} holds recipe {header.recipe.name} ({header.recipe.digest:.8}), asked "
            f"was for {load_recipe(recipe).name} ({load_recipe(recipe).digest:.8}); {remedy}"
        )
    if seed is not None and seed != header.seed:
        raise ValueError(f"{str(path)!r} has seed {header.seed}, asked was for {seed}; {remedy}")
    if header.split is not None and split not in (None, header.split):
        raise ValueError(
            f"{str(path)!r} holds the split {header.split!r} only, asked was for {split!r}; "
            "write the whole catalogue to have all splits"
        )
