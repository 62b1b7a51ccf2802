"""Sums of datasets: `a + b` as a Collection."""

from deepbench_torch.datasets import PairDataset, RowDataset
from deepbench_torch.datasets.collection import Collection


def concatenate(first: PairDataset, second: object) -> Collection | None:
    """Return `first + second` as a Collection; None if one of them cannot be a member.

    Raises:
        ValueError: If the two differ in their transforms, shape, content or target.
    """
    members = [*_parts(first), *_parts(second)]
    if not isinstance(second, PairDataset) or None in members:
        return None
    first_transforms, second_transforms = (
        (each.transform, each.target_transform, each.transforms) for each in (first, second)
    )
    if first_transforms != second_transforms:
        raise ValueError(
            "a + b: expected the same transforms in both datasets, got different ones; use "
            "torch.utils.data.ConcatDataset([a, b]), or make a Collection with transforms"
        )
    return Collection(
        [member.with_target(member.target) for member in members if member is not None],
        transform=first.transform,
        target_transform=first.target_transform,
        transforms=first.transforms,
    )


def _parts(dataset: object) -> list[RowDataset | None]:
    """Return the catalogues that a dataset concatenates; None if it is anything else."""
    if isinstance(dataset, RowDataset):
        return [dataset]
    plain = isinstance(dataset, Collection) and not (
        dataset.weights or dataset.sizes or dataset.split or dataset.paired
    )
    return [*dataset.members] if plain and isinstance(dataset, Collection) else [None]
