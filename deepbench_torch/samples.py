"""Samples: rows of a catalogue with all that is true of them, as `generate` gives them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.recipes import AbstractRecipe, Recipe, SeriesRecipe
from deepbench_torch.recipes.given_scene import GeneratedScene

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
        """Everything beside the rows that a file keeps, by its path there, shape (B, ...) each."""

    def to_table(self) -> "Table":
        """Return the parameters as an astropy Table with units: a line an object, body or system.

        The columns are `index` (the row number), `kind`, `slot` and the parameters. Slots without
        an object are omitted; a parameter that a kind does not have is masked.
        """
        from deepbench_torch.datasets.tables import sample_lines

        return sample_lines(self).to_table()

    def to_pandas(self) -> "DataFrame":
        """Return the same as a pandas DataFrame, NaN where a kind lacks a parameter.

        `frame.attrs["units"]` has the unit of each parameter.

        Raises:
            ModuleNotFoundError: If pandas, an optional package, is not installed.
        """
        from deepbench_torch.datasets.tables import sample_lines

        return sample_lines(self).to_pandas()


class SceneTables(GeneratedScene):
    """The parameters of a scene by kind and name; tensors are made when they are read.

    Args:
        table: All parameters, float32, shape (S, B, slots).
        places: For each kind, the place of its first parameter and the names of all.
        present: For each kind, which slots hold an object.
    """

    __slots__ = ("_made", "_places", "_present", "_table")

    def __init__(
        self,
        table: Tensor,
        places: Mapping[str, tuple[int, Sequence[str]]],
        present: "PresentTables",
    ) -> None:
        self._table = table
        self._present = present
        self._places = places
        self._made: dict[str, dict[str, Tensor]] = {}

    def __getitem__(self, kind: str) -> dict[str, Tensor]:
        if kind not in self._made:
            first, names = self._places[kind]
            columns = self._table[first : first + len(names)].unbind()
            self._made[kind] = dict(zip(names, columns, strict=True))
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __or__(self, other: Mapping[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
        return dict(self) | dict(other)

    def __repr__(self) -> str:
        return repr(dict(self))

    @property
    @override
    def present(self) -> "PresentTables":
        return self._present


class PresentTables(Mapping[str, Tensor]):
    """Which slots of each kind hold an object; tensors are made when they are read.

    Args:
        table: bool, shape (K, B, slots).
        places: For each kind, its place in the table.
    """

    __slots__ = ("_places", "_table")

    def __init__(self, table: Tensor, places: Mapping[str, int]) -> None:
        self._table = table
        self._places = places

    def __getitem__(self, kind: str) -> Tensor:
        return self._table[self._places[kind]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __or__(self, other: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(self) | dict(other)

    def __repr__(self) -> str:
        return repr(dict(self))


@final
@dataclass(frozen=True, kw_only=True)
class Sample(AbstractSample):
    """B images and all that is true of them.

    Attributes:
        image: What a camera records, float32, shape (B, 1, H, W).
        clean: The same without noise, float32, shape (B, 1, H, W).
        label: Class indices, int64, shape (B,); or which kinds are present, float32, shape (B, K).
        index: Row numbers, int64, shape (B,).
        scene: By kind and name, the parameters in pixels and radians, float32, shape (B, slots). A
            slot that is not present holds the object that would have been drawn there.
        present: By kind, which slots hold an object, bool, shape (B, slots).
        recipe: What the images hold, at their size.
    """

    image: Tensor
    scene: Mapping[str, Mapping[str, Tensor]]
    present: Mapping[str, Tensor]
    recipe: Recipe

    @property
    @override
    def data(self) -> Tensor:
        return self.image

    def parts(self, pixels: int) -> Iterator["Sample"]:
        """The sample in parts of whole rows, each with at most so many pixels of objects."""
        objects = torch.stack([there.sum(1) for there in self.present.values()]).sum(0)
        most = max(objects.tolist(), default=0)
        rows = max(1, pixels // (self.recipe.grid.height * self.recipe.grid.width * max(1, most)))
        for start in range(0, len(objects), rows):
            yield self._part(slice(start, start + rows))

    def _part(self, rows: slice) -> "Sample":
        return replace(
            self,
            image=self.image[rows],
            clean=self.clean[rows],
            label=self.label[rows],
            index=self.index[rows],
            scene={
                kind: {name: values[rows] for name, values in parameters.items()}
                for kind, parameters in self.scene.items()
            },
            present={kind: there[rows] for kind, there in self.present.items()},
        )

    @override
    def tables(self) -> dict[str, Tensor]:
        tables = {"label": self.label}
        for kind, parameters in self.scene.items():
            tables[f"present/{kind}"] = self.present[kind]
            for name, values in parameters.items():
                tables[f"parameters/{kind}/{name}"] = values
        return tables


@final
@dataclass(frozen=True, kw_only=True)
class SeriesSample(AbstractSample):
    """B time series and all that is true of them.

    Attributes:
        series: What is measured, float32, shape (B, T, C); `recipe.channels` names the columns.
        clean: The same without any noise, float32, shape (B, T, C).
        label: The parameters side by side, as `recipe.classes` names them, float32, shape (B, K).
        index: Row numbers, int64, shape (B,).
        time: The moments, float64, shape (T,).
        parameters: By name, in the units of the system, float64, shape (B,) or (B, slots).
        used: The same with their noise, as they acted; those with noise for every step have shape
            (B, T) or (B, T, slots).
        present: Which slots hold a body, by the system's name, bool, shape (B, slots); empty where
            there are no slots. What is absent is 0 in the series.
        kinetic: Kinetic energy of the clean motion, float32, shape (B, T).
        potential: Potential energy of the clean motion, float32, shape (B, T).
        recipe: What the series hold.
    """

    series: Tensor
    time: Tensor
    parameters: dict[str, Tensor]
    used: dict[str, Tensor]
    present: dict[str, Tensor]
    kinetic: Tensor
    potential: Tensor
    recipe: SeriesRecipe

    @property
    @override
    def data(self) -> Tensor:
        return self.series

    @override
    def tables(self) -> dict[str, Tensor]:
        system = self.recipe.system
        tables = {"label": self.label}
        tables |= {f"present/{name}": there for name, there in self.present.items()}
        tables |= {f"parameters/{system}/{name}": v for name, v in self.parameters.items()}
        noisy = self.recipe.noise.of_parameters
        return tables | {f"used/{system}/{name}": self.used[name] for name in noisy}


def own_rows(values: Tensor) -> list[Tensor]:
    """Return the rows of a batch, each with memory of its own, so that one keeps no other alive.

    Args:
        values: A tensor of shape (B, ...).
    """
    if len(values) == 1 and values.untyped_storage().nbytes() == values.nbytes:
        return [values[0]]
    return list(torch.ops.aten.unbind_copy.int(values))
