"""Priors of separate values: whole numbers and choices."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.priors.prior import Prior


@final
@dataclass(frozen=True)
class Integer(Prior):
    """Whole numbers from low to high, both included, equally likely."""

    name: ClassVar[str] = "integer"
    low: int
    high: int

    def __post_init__(self) -> None:
        whole = all(math.isfinite(end) and int(end) == end for end in (self.low, self.high))
        if not whole or self.low > self.high:
            raise ValueError(f"integer needs whole low <= high, got [{self.low}, {self.high}]")

    @override
    def value(self, u: Tensor) -> Tensor:
        steps = torch.floor(u * (self.high - self.low + 1)).clamp_max(self.high - self.low)
        return steps + self.low

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value == value.round()) & (value >= self.low) & (value <= self.high)

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        return {self.name: [self.low, self.high]}


@final
@dataclass(frozen=True)
class Choice(Prior):
    """One of a few values.

    Attributes:
        values: The values, each different.
        weights: How often each is drawn, relative to the others; empty for equally often.
    """

    name: ClassVar[str] = "choice"
    values: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise ValueError(f"choice needs at least one value and none twice, got {self.values}")
        if any(math.isnan(value) for value in self.values):
            raise ValueError(f"choice needs numbers, got {self.values}")
        if self.weights and (
            len(self.weights) != len(self.values)
            or min(self.weights) < 0
            or not 0 < sum(self.weights) < math.inf
        ):
            raise ValueError(
                f"choice needs one weight >= 0 for each of its {len(self.values)} values and a "
                f"positive sum, got {self.weights}"
            )

    @override
    def value(self, u: Tensor) -> Tensor:
        weights = self.weights or (1.0,) * len(self.values)
        total = math.fsum(weights)
        edges = [math.fsum(weights[: k + 1]) / total for k in range(len(weights) - 1)]
        steps = torch.tensor(edges, dtype=torch.float64)
        place = torch.bucketize(u.contiguous(), steps, right=True)
        return torch.tensor(self.values, dtype=torch.float64)[place]

    @override
    def contains(self, value: Tensor) -> Tensor:
        return torch.isin(value, torch.tensor(self._possible, dtype=value.dtype))

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        return min(self._possible), max(self._possible)

    @override
    def to_plain(self) -> object:
        if not self.weights:
            return {self.name: list(self.values)}
        return {self.name: {"values": list(self.values), "weights": list(self.weights)}}

    @property
    def _possible(self) -> list[float]:
        """The values that are drawn at all: those whose weight is not 0."""
        weights = self.weights or (1.0,) * len(self.values)
        return [value for value, weight in zip(self.values, weights, strict=True) if weight > 0]
