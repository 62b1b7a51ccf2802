"""Catalogue: generated rows as a map-style dataset, in the manner of torchvision's."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.datasets.base import Keys, PairDataset, PairTransform, Transform
from deepbench_torch.datasets.indexing import check_index, rows_per_batch
from deepbench_torch.datasets.overlap import Part, use_parts
from deepbench_torch.datasets.splits import Split, split_rows
from deepbench_torch.datasets.targets import Target, check_target, target_rows
from deepbench_torch.generate import CONTENTS, generate, resize, with_realization
from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.numerics.row_numbers import check_seed
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.samples import AbstractSample, own_rows

if TYPE_CHECKING:
    from astropy.table import Table
    from pandas import DataFrame

    from deepbench_torch.samples.lines import Lines

DEFAULT_SIZE = 10_000  # rows of a catalogue if neither the caller nor the recipe sets a size


class RowDataset(PairDataset):
    """Base of datasets of the rows of one recipe.

    Attributes:
        recipe: Recipe of the rows.
        seed: Seed of all rows.
        size: Number of rows before splitting.
        split: Split that the dataset has; None for all rows.
        limit: Number of rows of the split, the first ones; None for all.
        rows: Row number of each index.
        target: Name of the target beside the image or the series, or several names.
        in_file: Whether the rows come from a file, whose seed cannot change.
    """

    in_file: ClassVar[bool] = False
    fixed = PairDataset.fixed | {
        *("recipe", "seed", "size", "split", "limit", "rows", "path", "stored"),
    }

    def __init__(
        self,
        recipe: AbstractRecipe,
        *,
        seed: int,
        size: int,
        split: Split | None,
        target: Target,
        transform: Transform | None,
        target_transform: Transform | None,
        transforms: PairTransform | None,
        limit: int | None = None,
    ) -> None:
        self.recipe = recipe
        super().__init__(
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self.seed = seed
        self.rows = _limited(split_rows(size, split), limit)
        self.size = int(size)
        self.split = split
        self.limit = None if limit is None else int(limit)
        if split is not None:
            use_parts(self, [Part(recipe, seed, split, self.size, self.rows)])

    @override
    def _checked_target(self, target: Target) -> Target:
        return check_target(target, self.recipe)

    @property
    @override
    def classes(self) -> list[str]:
        return self.recipe.classes

    @property
    @override
    def rows_per_batch(self) -> int:
        return rows_per_batch(prod(self.recipe.shape))

    @override
    def __len__(self) -> int:
        return len(self.rows)

    @override
    def samples(
        self, places: Keys | None = None, *, rows: Iterable[int] | None = None
    ) -> AbstractSample:
        """Return rows with their complete truth.

        Args:
            places: Indices, as in `data[places]`; index 0 is the first row of the split.
            rows: Row numbers of the catalogue instead, as in `data.rows` and the target "index".

        Raises:
            IndexError: If an index is out of range, or a row belongs to another split.
            TypeError: If both arguments are None, or neither is.

        Example:
            >>> val = Catalogue("astro", split="val", size=100)
            >>> val.samples([0, 1]).index.tolist(), val.samples(rows=[60, 61]).index.tolist()
            ([60, 61], [60, 61])
        """
        if (places is None) == (rows is None):
            raise TypeError(
                "samples: expected places or rows, got "
                f"{'neither' if rows is None else 'both'}; use samples([0, 1]) for the first two "
                "rows of this dataset, or samples(rows=[...]) for the catalogue's row numbers"
            )
        chosen = self._own_rows(rows) if places is None else self._rows_at(self._selected(places))
        return self._samples(chosen)

    def to_table(self, places: Keys | None = None) -> "Table":
        """Return the parameters of some rows as an astropy Table; see `Sample.to_table`.

        Args:
            places: Indices, as in `data[places]`; None for all rows.

        Example:
            >>> Catalogue("star", size=5).to_table([0, 1]).colnames
            ['index', 'kind', 'slot', 'x', 'y', 'amplitude', 'gamma', 'alpha', 'flux', 'fwhm']
        """
        return self._lines(places).to_table()

    def to_pandas(self, places: Keys | None = None) -> "DataFrame":
        """Return the parameters of some rows as a pandas DataFrame; see `Sample.to_pandas`.

        Args:
            places: Indices, as in `data[places]`; None for all rows.

        Raises:
            ModuleNotFoundError: If pandas, an optional package, is not installed.
        """
        return self._lines(places).to_pandas()

    def _lines(self, places: Keys | None) -> "Lines":
        from deepbench_torch.datasets.tables import (
            sampled_lines,  # imports modules that a training does not need
        )

        rows = self.rows if places is None else self._rows_at(self._selected(places))
        return sampled_lines(
            self.recipe,
            seed=self.seed,
            index=torch.tensor(list(rows), dtype=torch.int64, device="cpu"),
        )

    @override
    def with_target(self, target: Target) -> "RowDataset":
        return super().with_target(check_target(target, self.recipe))

    @override
    def extra_repr(self) -> str:
        split = f"{self.split or 'all'} of {self.size} rows"
        return "\n".join(
            [
                f"Recipe: {self.recipe.name}, {self.recipe.size_text}",
                f"Seed: {self.seed}",
                f"Split: {split}" + (f", limit {self.limit}" if self.limit is not None else ""),
                f"Classes: {', '.join(self.classes)}",
                f"Target: {self.target if isinstance(self.target, str) else list(self.target)}",
            ]
        )

    @override
    def _pairs(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        data, targets = self._fetch(self._rows_at(indices))
        return list(zip(own_rows(data), targets, strict=True))

    def _samples(self, rows: list[int]) -> AbstractSample:
        return generate(self.recipe, self.seed, torch.tensor(rows, dtype=torch.int64, device="cpu"))

    def _rows_at(self, indices: Sequence[int]) -> list[int]:
        return [self.rows[index] for index in indices]

    def _own_rows(self, rows: Iterable[int] | None) -> list[int]:
        """Return requested row numbers, checked to be of this dataset."""
        numbers = rows.tolist() if isinstance(rows, Tensor) else list(rows or [])
        own = [check_index(number, 1 << 63) for number in numbers]
        for row, number in zip(own, numbers, strict=True):
            if row != number or row not in self.rows:
                raise IndexError(
                    f"samples(rows=...): expected row numbers {self.rows[0]} to {self.rows[-1]} "
                    f"of this dataset, got {number}; use generate(recipe, seed, index) for "
                    "other rows of the catalogue"
                )
        return own

    @abstractmethod
    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        """Return the data, shape (B, *recipe.shape), and the targets of some rows."""


@final
class Catalogue(RowDataset):
    """Images or time series, generated when a row is requested, in any order and any process.

    Splits are disjoint if all of them have one `size`. For fewer rows of a split use `limit`:
    `Catalogue("astro", split="test", size=10_000, limit=1_000)` shares no row with the training
    split of 10,000. With `size=1_000` instead, the test split is rows 800 to 999, which are
    training rows of the larger catalogue; a warning reports splits that overlap.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        size: Number of rows before splitting; None for the recipe's, or 10,000.
        seed: Seed from 0 to 2**63 - 1; None for the recipe's, or 0.
        split: "train", "val" or "test" for the first 60 %, the next 20 % or the last 20 %; None
            for all.
        limit: Number of rows of the split, the first ones; None for all.
        image_size: Height and width [pixel], one number for a square; None for the recipe's.
        realization: Number of the noise, from 0 on: another number gives the same scenes with
            independent noise. None for the recipe's, or 0.
        target: Name of a target, as `help(deepbench_torch.datasets)` lists them for images and
            `help(deepbench_torch.systems)` for time series; or a list of names for a dict by name.
        transform: Function of the image, float32 of shape (1, H, W), or the series (T, C).
        target_transform: Function of the target.
        transforms: Function of both together, instead of the two others.

    Raises:
        ValueError: If an argument is invalid.
        FileNotFoundError: If the recipe's YAML file does not exist.

    Example:
        >>> import deepbench_torch as db
        >>> train = db.Catalogue("astro", size=100, split="train")
        >>> image, label = train[0]
        >>> len(train), image.shape, train.classes
        (60, torch.Size([1, 28, 28]), ['star', 'galaxy', 'spiral'])
    """

    def __init__(
        self,
        recipe: str | Path | AbstractRecipe,
        *,
        size: int | None = None,
        seed: int | None = None,
        split: Split | None = None,
        limit: int | None = None,
        image_size: int | tuple[int, int] | None = None,
        realization: int | None = None,
        target: Target = "label",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        chosen = with_realization(resize(load_recipe(recipe), image_size), realization)
        super().__init__(
            chosen,
            seed=check_seed(_first(seed, chosen.seed, 0)),
            size=_first(size, chosen.size, DEFAULT_SIZE),
            split=split,
            limit=limit,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )

    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        if self.target == "label":
            return CONTENTS[self.recipe.content].pairs(self.recipe, self.seed, rows)
        sample = self._samples(rows)
        return sample.data, target_rows(sample, self.target)


def _first(requested: int | None, of_recipe: int | None, default: int) -> int:
    """Return the requested number, else the recipe's, else the default."""
    if requested is not None:
        return requested
    return default if of_recipe is None else of_recipe


def _limited(rows: range, limit: int | None) -> range:
    """Return the first rows of a split."""
    if limit is None:
        return rows
    rule = f"limit: expected None or 1 to {len(rows)}, the rows of this split"
    remedy = "use a larger size for more rows"
    return rows[: check_integer(limit, rule, least=1, most=len(rows), remedy=remedy)]
