"""Any map-style dataset: a catalogue, a stored catalogue or a collection."""

from deepbench_torch.datasets.catalogue import RowDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.recipes import AbstractRecipe

AnyDataset = RowDataset | Collection


def recipes_of(dataset: AnyDataset) -> list[AbstractRecipe]:
    """Return the recipe of a catalogue, or those of the members of a collection."""
    if isinstance(dataset, Collection):
        return [member.recipe for member in dataset.members]
    return [dataset.recipe]
