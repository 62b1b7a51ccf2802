"""Catalogue: generated rows as a map-style dataset, in the manner of torchvision's."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, final

import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from deepbench_torch.arguments import whole
from deepbench_torch.generate import checked_seed, generate, sized
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.samples import AbstractSample
from deepbench_torch.targets import Target, check_target, target_rows

LARGEST_SIZE = 1 << 62  # rows; their numbers stay within 63 bits
USUAL_SIZE = 10_000  # rows of a catalogue where neither the caller nor the recipe says otherwise
Split = Literal["train", "val", "test"]
Transform = Callable[[Any], Any]
PairTransform = Callable[[Any, Any], tuple[Any, Any]]


class PairDataset(ABC, Dataset[tuple[Any, Any]]):
    """What datasets of data and targets share: places and transforms."""

    def __init__(
        self,
        *,
        transform: Transform | None,
        target_transform: Transform | None,
        transforms: PairTransform | None,
    ) -> None:
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError("give either transforms or transform and target_transform, not both")
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms

    @abstractmethod
    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        """The image (1, H, W) or series (T, C) and the target at a place; -1 is the last."""
        return self.__getitems__([place])[0]

    @abstractmethod
    def __getitems__(self, places: list[int]) -> list[tuple[Any, Any]]:
        """The rows at several places, made at once; a stock DataLoader calls this for a batch."""

    @property
    def transforms_nothing(self) -> bool:
        """Whether rows are handed out as they were made."""
        return self.transform is None and self.target_transform is None and self.transforms is None

    def _place(self, place: int) -> int:
        """A place counted from the beginning, if there is such a place."""
        try:
            return range(len(self))[operator.index(place)]
        except TypeError:
            raise TypeError(
                f"a place is one whole number, got {place!r}; for several give them to "
                "torch.utils.data.Subset"
            ) from None
        except IndexError:
            raise IndexError(
                f"place {place} is out of range: the dataset holds {len(self)} rows, "
                f"so 0 to {len(self) - 1}"
            ) from None

    def _transformed(self, data: Tensor, target: Any) -> tuple[Any, Any]:
        if self.transforms is not None:
            return self.transforms(data, target)
        if self.transform is not None:
            data = self.transform(data)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return data, target


class RowDataset(PairDataset):
    """What datasets of the rows of one recipe share.

    Attributes:
        recipe: What the rows hold.
        seed: The seed of all rows.
        size: How many rows there are before splitting.
        split: Which of them these are; None for all.
        rows: The row number of each place.
        target: What comes beside the image or the series.
    """

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
    ) -> None:
        super().__init__(
            transform=transform, target_transform=target_transform, transforms=transforms
        )
        self.recipe = recipe
        self.seed = seed
        self.rows = split_rows(size, split)
        self.size = int(size)
        self.split = split
        self.target = check_target(target, recipe.content)

    @property
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""
        return self.recipe.classes

    @override
    def __len__(self) -> int:
        return len(self.rows)

    @override
    def __getitems__(self, places: list[int]) -> list[tuple[Any, Any]]:
        rows = [self.rows[self._place(place)] for place in places]
        return self.transformed(*self._fetch(rows))

    def transformed(self, data: Tensor, targets: list[Any]) -> list[tuple[Any, Any]]:
        """Data (B, *recipe.shape) and targets as pairs, after the transforms."""
        pairs = list(zip(data.unbind(), targets, strict=True))
        if self.transforms_nothing:
            return pairs
        return [self._transformed(*pair) for pair in pairs]

    @abstractmethod
    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        """The data (B, *recipe.shape) and the targets of some rows."""


@final
class Catalogue(RowDataset):
    """Images or time series made as they are asked for; any row, in any order, in any process.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        size: How many rows there are before splitting; as the recipe says, or 10,000, if None.
        seed: 0 to 2**63 - 1; as the recipe says, or 0, if None.
        split: "train", "val" or "test" for the first 60 %, the next 20 % or the last 20 %; None
            for all.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        target: Of images "label", "parameters", "boxes", "masks", "labels", "slots",
            "components", "clean" or "index", of time series "label", "parameters", "used",
            "clean", "energy" or "index"; or a list of them for a dict by name.
        transform: Called with the image, a float32 tensor of shape (1, H, W), or the series (T, C).
        target_transform: Called with the target.
        transforms: Called with both together, instead of the two before.

    Raises:
        ValueError: If an argument is not as above.
        FileNotFoundError: If the recipe's YAML file does not exist.
    """

    def __init__(
        self,
        recipe: str | Path | AbstractRecipe,
        *,
        size: int | None = None,
        seed: int | None = None,
        split: Split | None = None,
        image_size: int | tuple[int, int] | None = None,
        target: Target = "label",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        chosen = sized(load_recipe(recipe), image_size)
        super().__init__(
            chosen,
            seed=checked_seed(_first(seed, chosen.seed, 0)),
            size=_first(size, chosen.size, USUAL_SIZE),
            split=split,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )

    def samples(self, rows: Sequence[int]) -> AbstractSample:
        """Whole rows with all that is true of them, by row number."""
        index = torch.tensor(rows, dtype=torch.int64)
        return generate(self.recipe, self.seed, index)

    def _fetch(self, rows: list[int]) -> tuple[Tensor, list[Any]]:
        sample = self.samples(rows)
        return sample.data, target_rows(sample, self.target)


def _first(asked: int | None, said: int | None, usual: int) -> int:
    """What was asked for, else what the recipe says, else what is usual."""
    if asked is not None:
        return asked
    return usual if said is None else said


def split_rows(size: int, split: Split | None) -> range:
    """The row numbers of a split: 60 %, 20 % and 20 % of `size`, in order.

    Raises:
        ValueError: If the size is not positive, the split unknown or empty.
    """
    size = whole(size, "size must be a positive whole number of rows", least=1, most=LARGEST_SIZE)
    first, second = size * 3 // 5, size * 4 // 5
    splits = {
        None: range(size),
        "train": range(first),
        "val": range(first, second),
        "test": range(second, size),
    }
    if not isinstance(split, str | None) or split not in splits:
        raise ValueError(f"split must be None, 'train', 'val' or 'test', got {split!r}")
    if not splits[split]:
        raise ValueError(f"split {split!r} of {size} rows is empty; use size=5 or more")
    return splits[split]
