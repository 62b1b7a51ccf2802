"""Base of all map-style datasets, with the conventions of torchvision's datasets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Self, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, default_collate
from typing_extensions import override

from deepbench_torch.datasets.detection import DetectionRow, collate_detection
from deepbench_torch.datasets.fixed import check_not_fixed
from deepbench_torch.datasets.guard import explain_guard
from deepbench_torch.datasets.indexing import check_index, chunks, select, select_all
from deepbench_torch.datasets.labels import FixedLabels
from deepbench_torch.datasets.statistics import ROWS, Statistics, statistics_of
from deepbench_torch.datasets.targets import Target, is_detection
from deepbench_torch.datasets.transforms import (
    check_data,
    check_moves_nothing,
    check_pair,
    check_shape,
    check_transform,
)
from deepbench_torch.samples import AbstractSample

Transform = Callable[[Any], Any]
PairTransform = Callable[[Any, Any], tuple[Any, Any]]
Keys = int | slice | Iterable[int]
Samples = AbstractSample | Mapping[str, AbstractSample]
TRANSFORMS = ("transform", "target_transform", "transforms")


class PairDataset(ABC, Dataset[tuple[Any, Any]]):
    """Base of datasets of data and targets.

    `data[3]` is one row; `data[3:9]` and `data[[3, 1, 2]]` are views, datasets themselves. Every
    row has its own memory, so a reference to a row keeps no other row in memory. Iteration makes
    rows in batches of bounded memory, and calls the transforms row by row in order.

    Args:
        target: Name of the target beside the data, or several names.
        transform: Function of the data.
        target_transform: Function of the target.
        transforms: Function of both together, instead of the two others.

    Raises:
        ValueError: If both `transforms` and one of the two others are set, or `transform` moves
            pixels beside boxes or masks.
        TypeError: If a transform is not a function.
    """

    fixed: ClassVar[frozenset[str]] = frozenset()  # attributes that only the constructor sets

    def __init__(
        self,
        *,
        target: Target,
        transform: Transform | None,
        target_transform: Transform | None,
        transforms: PairTransform | None,
    ) -> None:
        explain_guard()
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError(
                "transforms: expected None beside transform or target_transform, got both; use "
                "either transforms or the two others"
            )
        self.target = target
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a transform or the target after a check; refuse what decides the rows.

        Raises:
            AttributeError: If the rows depend on it.
            ValueError: If the value is not as the constructor has it.
            TypeError: If a transform is no function.
        """
        check_not_fixed(self, name, value=value, fixed=self.fixed)
        if name in TRANSFORMS:
            check_transform(value, name=name)
        super().__setattr__(name, self._checked_target(value) if name == "target" else value)
        if name in (*TRANSFORMS, "target") and "transforms" in vars(self) and self._plain_target:
            check_moves_nothing(self.transform, self.target)

    def _checked_target(self, target: Target) -> Target:
        return target

    @property
    def _plain_target(self) -> bool:
        """Whether no function of the user changes the target alone."""
        return self.target_transform is None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "targets"}

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def classes(self) -> list[str]:
        """Names of the labels, in their order."""

    @property
    @abstractmethod
    def rows_per_batch(self) -> int:
        """Number of rows that an iteration makes in one batch."""

    @abstractmethod
    def samples(self, places: Keys) -> Samples:
        """Return rows with their complete truth, selected as in `data[places]`."""

    @abstractmethod
    def _pairs(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        """Return data and targets at some indices from 0 on, before the transforms."""

    @abstractmethod
    def extra_repr(self) -> str:
        """Return further lines of `repr`, as in torchvision."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for chunk in chunks(len(self), self.rows_per_batch):
            for data, target in self._pairs(chunk):
                yield self._transformed_pair(data, target)

    @overload
    def __getitem__(self, key: int) -> tuple[Any, Any]: ...
    @overload
    def __getitem__(self, key: slice | Iterable[int]) -> "PairDataset": ...
    def __getitem__(self, key: Keys) -> "tuple[Any, Any] | PairDataset":
        """Return the row at an index, or a view of the rows of a slice or a list of indices.

        Args:
            key: An index, -1 for the last; a slice; or indices in a list, array or tensor.

        Returns:
            The image (1, H, W) or series (T, C) and its target; for several indices a dataset.

        Raises:
            TypeError: If the key is none of these.
            IndexError: If an index is out of range.
        """
        selected = select(key, len(self))
        if isinstance(selected, int):
            return self.__getitems__([selected])[0]
        from deepbench_torch.datasets.view import DatasetView  # a subclass of this class

        return DatasetView(self, selected)

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        """Return the rows at several indices, made in one batch; a DataLoader calls this."""
        length = len(self)
        return self.transformed(
            self._pairs(
                [
                    index
                    if type(index) is int and 0 <= index < length
                    else check_index(index, length)
                    for index in indices
                ]
            )
        )

    @override
    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:  # type: ignore[override]
        """Return the rows of two datasets as one.

        The result is a Collection of catalogues and plain Collections, otherwise torch's
        ConcatDataset. As in every Collection, catalogues of different recipes with one seed get
        different noise; see `Collection`.
        """
        from deepbench_torch.datasets.sums import concatenate  # imports this module

        if not isinstance(other, Dataset):
            return NotImplemented
        return concatenate(self, other) or super().__add__(other)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Index of each class name among the labels, as in torchvision."""
        return {name: index for index, name in enumerate(self.classes)}

    @cached_property
    def targets(self) -> list[int] | Tensor:
        """Labels of all rows before any transform, whatever `target` is.

        Class indices as a list, as in torchvision, but immutable; otherwise float32 of shape
        (N, K). The first access makes all rows. To change the labels of the rows, pass
        `target_transform`.
        """
        labels = [label for _, label in self.with_target("label")]
        if labels and isinstance(labels[0], Tensor):
            return torch.stack(labels)
        return FixedLabels(labels)

    @cached_property
    def statistics(self) -> Statistics:
        """Range, mean and standard deviation of the first 1,000 rows, before any transform.

        The first access makes or reads these rows.
        """
        plain = self.with_target("index")
        indices = chunks(min(len(self), ROWS), self.rows_per_batch)
        return statistics_of(
            torch.stack([data for data, _ in plain._pairs(chunk)]) for chunk in indices
        )

    def arrays(
        self, target: Target = "label", *, flat: bool = True
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return all rows in order, before any transform, as arrays for scikit-learn.

        Args:
            target: "label", or another target of one shape for all rows, as "clean" or "index".
            flat: Whether each image or series is one line of numbers.

        Returns:
            Data, float32, shape (N, H * W) or (N, T * C); labels, int64 (N,) or float32 (N, K).

        Raises:
            ValueError: If the target differs in shape from row to row, or there are no rows.

        Example:
            >>> import deepbench_torch as db
            >>> [array.shape for array in db.Catalogue("astro", size=60).arrays()]
            [(60, 784), (60,)]
        """
        from deepbench_torch.datasets.arrays import dataset_arrays

        return dataset_arrays(self, target, flat=flat)

    @property
    def collate_fn(self) -> Callable[[list[Any]], Any]:
        """Function that makes a batch of a list of rows, for a DataLoader.

        Detection targets of one batch differ in shape, so a batch of them is two lists; see
        `collate_detection`. Other targets are stacked by torch's `default_collate`.
        """
        return collate_detection if self.has_detection_targets else default_collate

    @property
    def has_detection_targets(self) -> bool:
        """Whether targets differ in shape from row to row, with the number of objects."""
        return self.target_transform is None and is_detection(self.target)

    @property
    def has_transforms(self) -> bool:
        """Whether rows pass through a transform."""
        return any(
            function is not None
            for function in (self.transform, self.target_transform, self.transforms)
        )

    def with_target(self, target: Target) -> Self:
        """Return a copy that returns another target and has no transforms."""
        other = copy(self)
        vars(other).update(target=target, transform=None, target_transform=None, transforms=None)
        return other

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}", *self.extra_repr().splitlines()]
        lines += self._transform_repr().splitlines()
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])

    def _transform_repr(self) -> str:
        if self.transforms is not None:
            return repr(self.transforms)
        if self.transform is None and self.target_transform is None:
            return ""
        from torchvision.datasets.vision import StandardTransform  # slow to import

        return repr(StandardTransform(self.transform, self.target_transform))

    def _selected(self, places: Keys) -> Sequence[int]:
        return select_all(places, len(self))

    def transformed(self, pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """Return rows after the transforms; without transforms the same list."""
        changed = self.has_transforms or self.has_detection_targets
        return [self._transformed_pair(*pair) for pair in pairs] if changed else pairs

    def _transformed_pair(self, data: Tensor, target: Any) -> tuple[Any, Any]:
        if self.transforms is not None:
            data, target = check_pair(self.transforms(data, target))
        if self.transform is not None:
            before, data = data, check_data(self.transform(data), name="transform")
            if self._plain_target:
                check_shape(before, data, self.target)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return DetectionRow((data, target)) if self.has_detection_targets else (data, target)
