"""Views: some rows of a dataset, as a dataset."""

from collections.abc import Sequence
from typing import Any, Self, final

from typing_extensions import override

from deepbench_torch.datasets.base import Keys, PairDataset, Samples
from deepbench_torch.datasets.targets import Target


@final
class DatasetView(PairDataset):
    """Some rows of another dataset, as `data[3:9]` and `data[[3, 1, 2]]` return them.

    Nothing is made before a row is requested. Rows pass through the transforms of the dataset,
    then through those that a user sets on the view.

    Args:
        dataset: The dataset.
        indices: The places in it.

    Attributes:
        dataset: The dataset, as in `torch.utils.data.Subset`.
        indices: The places in it.
    """

    def __init__(self, dataset: PairDataset, indices: Sequence[int]) -> None:
        super().__init__(
            target=dataset.target, transform=None, target_transform=None, transforms=None
        )
        self.dataset = dataset
        self.indices = indices

    @property
    @override
    def classes(self) -> list[str]:
        return self.dataset.classes

    @property
    @override
    def rows_at_once(self) -> int:
        return self.dataset.rows_at_once

    @property
    @override
    def has_detection_targets(self) -> bool:
        return self.target_transform is None and self.dataset.has_detection_targets

    @override
    def __len__(self) -> int:
        return len(self.indices)

    @override
    def samples(self, places: Keys) -> Samples:
        return self.dataset.samples([self.indices[each] for each in self._selected(places)])

    @override
    def with_target(self, target: Target) -> Self:
        return type(self)(self.dataset.with_target(target), self.indices)

    @override
    def extra_repr(self) -> str:
        return f"Of: {self.dataset!r}".replace("\n", "\n    ")

    @override
    def _pairs(self, places: Sequence[int]) -> list[tuple[Any, Any]]:
        return self.dataset._pairs([self.indices[each] for each in places])

    @property
    @override
    def has_transforms(self) -> bool:
        return super().has_transforms or self.dataset.has_transforms

    @override
    def _transformed(self, data: Any, target: Any) -> tuple[Any, Any]:
        return super()._transformed(*self.dataset._transformed(data, target))
