"""Any map-style dataset: a catalogue, a stored catalogue or a collection, or a view of one."""

from typing import cast

from deepbench_torch.datasets.catalogue import RowDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.view import DatasetView
from deepbench_torch.recipes import AbstractRecipe

AnyDataset = RowDataset | Collection
AnyRows = AnyDataset | DatasetView


def recipes_of(dataset: AnyRows) -> list[AbstractRecipe]:
    """Return the recipe of a catalogue, or those of the members of a collection."""
    dataset = _whole(dataset)
    if isinstance(dataset, Collection):
        return [member.recipe for member in dataset.members]
    return [dataset.recipe]


def recipe_of_row(dataset: AnyRows, index: int) -> AbstractRecipe:
    """Return the recipe of the row at an index from 0 on."""
    while isinstance(dataset, DatasetView):
        index, dataset = dataset.indices[index], cast("AnyRows", dataset.dataset)
    if isinstance(dataset, Collection):
        return dataset.members[dataset.order[index][0]].recipe
    return dataset.recipe


def _whole(dataset: AnyRows) -> AnyDataset:
    """Return the dataset of all rows."""
    while isinstance(dataset, DatasetView):
        dataset = cast("AnyRows", dataset.dataset)
    return dataset
