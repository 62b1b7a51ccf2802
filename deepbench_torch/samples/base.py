"""Base of all samples: rows of a catalogue with their complete truth."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples.lines import lines_of

if TYPE_CHECKING:
    from astropy.table import Table
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True)
class AbstractSample(ABC):
    """B rows of a catalogue, whatever they are.

    Attributes:
        clean: The rows without noise, float32, shape (B, *recipe.shape).
        label: What a network is to tell, one row each, shape (B, ...).
        index: Row numbers, int64, shape (B,).
        recipe: What the rows hold.
    """

    clean: Tensor
    label: Tensor
    index: Tensor
    recipe: AbstractRecipe

    @property
    @abstractmethod
    def data(self) -> Tensor:
        """The rows, float32, shape (B, *recipe.shape)."""

    @abstractmethod
    def tables(self) -> dict[str, Tensor]:
        """Return what a file stores beside the rows, by its path there, shape (B, ...) each."""

    def to_table(self) -> "Table":
        """Return the parameters as an astropy Table with units: a line an object, body or system.

        The columns are `index` (the row number), `kind`, `slot` and the parameters. Those of
        objects are followed by what is derived from them, see `objects.photometry`: `flux`, the
        total light summed over pixels, `fwhm`, the full width at half maximum [pixel], and
        `magnitude`, if the recipe has a `zero_point`. Last come the conditions that vary from image
        to image, as `conditions.exposure`. Slots without an object are omitted; a parameter that a
        kind does not have is masked.
        """
        return lines_of(self.recipe, self.tables(), self.index).to_table()

    def to_pandas(self) -> "DataFrame":
        """Return the same as a pandas DataFrame, NaN where a kind lacks a parameter.

        `frame.attrs["units"]` has the unit of each parameter.

        Raises:
            ModuleNotFoundError: If pandas, an optional package, is not installed.
        """
        return lines_of(self.recipe, self.tables(), self.index).to_pandas()


def own_rows(values: Tensor) -> list[Tensor]:
    """Return the rows of a batch, each with memory of its own, so that one keeps no other alive.

    Args:
        values: A tensor of shape (B, ...).
    """
    if len(values) == 1 and values.untyped_storage().nbytes() == values.nbytes:
        return [values[0]]
    return list(torch.ops.aten.unbind_copy.int(values))


def row_dicts(columns: Mapping[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    """Return rows of columns (count, ...) as dicts of tensors with memory of their own."""
    rows = {name: own_rows(values) for name, values in columns.items()}
    return [{name: values[row] for name, values in rows.items()} for row in range(count)]


def vector_rows(sample: AbstractSample, name: str | None = None) -> list[Tensor]:
    """Return the columns of `recipe.vector` of each row, float32 of shape (D,).

    Args:
        sample: The rows.
        name: Name of one parameter, as "galaxy/radius"; None for all.
    """
    vector = sample.recipe.vector
    return own_rows((vector if name is None else vector.select(name)).encode(sample))
