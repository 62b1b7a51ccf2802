"""Samples of time series."""

from dataclasses import dataclass
from typing import final

from torch import Tensor
from typing_extensions import override

from deepbench_torch.recipes import SeriesRecipe
from deepbench_torch.samples.base import AbstractSample


@final
@dataclass(frozen=True, kw_only=True)
class SeriesSample(AbstractSample):
    """B time series and all that is true of them.

    Attributes:
        series: What is measured, float32, shape (B, T, C); `recipe.channels` names the columns.
        clean: The same without any noise, float32, shape (B, T, C).
        label: The parameters side by side, as `recipe.classes` names them, float32, shape (B, K).
        index: Row numbers, int64, shape (B,).
        time: The times, float64, shape (T,).
        parameters: By name, in the units of the system, float64, shape (B,) or (B, slots).
        used: The same with their noise, as they acted; those with noise for every step have shape
            (B, T) or (B, T, slots).
        present: Which slots hold a body, by the system's name, bool, shape (B, slots); empty where
            there are no slots. What is absent is 0 in the series.
        kinetic: Kinetic energy of the clean motion, float32, shape (B, T).
        potential: Potential energy of the clean motion, float32, shape (B, T).
        recipe: What the series hold.

    Example:
        >>> import deepbench_torch as db
        >>> import torch
        >>> sample = db.generate("pendulum", 0, torch.arange(2))
        >>> sample.series.shape, sample.parameters["length"].shape
        (torch.Size([2, 201, 4]), torch.Size([2]))
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
