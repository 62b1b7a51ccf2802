"""Views: datasets of some rows of another dataset."""

from collections.abc import Sequence
from typing import Any, Self, final

from typing_extensions import override

from deepbench_torch.datasets.base import Keys, PairDataset, Samples
from deepbench_torch.datasets.targets import Target


@final
class DatasetView(PairDataset):
    """Some rows of another dataset, as `data[3:9]` and `data[[3, 1, 2]]` return them.

    A row is generated or read when it is requested. It passes through the transforms of the
    dataset, then through those that a user sets on the view.

    Args:
        dataset: Dataset of all rows.
        indices: Indices in it.

    Attributes:
        dataset: Dataset of all rows, as in `torch.utils.data.Subset`.
        indices: Indices in it.
    """

    fixed = PairDataset.fixed | {"dataset", "indices", "target"}

    def __init__(self, dataset: PairDataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        super().__init__(
            target=dataset.target, transform=None, target_transform=None, transforms=None
        )

    @property
    @override
    def classes(self) -> list[str]:
        return self.dataset.classes

    @property
    @override
    def rows_per_batch(self) -> int:
        return self.dataset.rows_per_batch

    @property
    @override
    def has_detection_targets(self) -> bool:
        return self.target_transform is None and self.dataset.has_detection_targets

    @property
    @override
    def _plain_target(self) -> bool:
        return self.target_transform is None and self.dataset._plain_target

    @override
    def __len__(self) -> int:
        return len(self.indices)

    @override
    def samples(self, places: Keys) -> Samples:
        return self.dataset.samples([self.indices[index] for index in self._selected(places)])

    @override
    def with_target(self, target: Target) -> Self:
        return type(self)(self.dataset.with_target(target), self.indices)

    @override
    def extra_repr(self) -> str:
        return f"Of: {self.dataset!r}".replace("\n", "\n    ")

    @override
    def _pairs(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        return self.dataset._pairs([self.indices[index] for index in indices])

    @property
    @override
    def has_transforms(self) -> bool:
        return super().has_transforms or self.dataset.has_transforms

    @override
    def _transformed_pair(self, data: Any, target: Any) -> tuple[Any, Any]:
        return super()._transformed_pair(*self.dataset._transformed_pair(data, target))
