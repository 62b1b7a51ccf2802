"""Discrete priors: whole numbers and choices."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics.checks import Fault, FaultsError, Location
from deepbench_torch.priors.prior import Prior, checked_number


@final
@dataclass(frozen=True)
class Integer(Prior):
    """Uniform distribution of the whole numbers from low to high, both included."""

    name: ClassVar[str] = "integer"
    low: int
    high: int

    def __post_init__(self) -> None:
        self._convert_numbers(("low", "high"))
        integers = all(math.isfinite(end) and int(end) == end for end in (self.low, self.high))
        if not integers or self.low > self.high:
            found = f"[{self.low}, {self.high}]"
            self._refuse("whole low <= high", found, remedy="write the smaller number first")

    @override
    def icdf(self, u: Tensor) -> Tensor:
        steps = torch.floor(u * (self.high - self.low + 1)).clamp_max(self.high - self.low)
        return steps + self.low

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value == value.round()) & (value >= self.low) & (value <= self.high)

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        count = self.high - self.low + 1
        return torch.full_like(value, -math.log(count), dtype=torch.float64)

    @property
    @override
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        return {self.name: [self.low, self.high]}


@final
@dataclass(frozen=True)
class Choice(Prior):
    """Distribution over a list of values.

    Attributes:
        values: Distinct values.
        weights: Relative frequency of each value; empty for equal frequencies.
    """

    name: ClassVar[str] = "choice"
    values: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("values", "weights"):
            numbers = _numbers(getattr(self, name), (self.name, name))
            object.__setattr__(self, name, numbers)
        if not self.values or len(set(self.values)) != len(self.values):
            remedy = "use weights to make a value more frequent"
            self._refuse("at least one value, all different", self.values, remedy=remedy)
        if any(math.isnan(value) for value in self.values):
            self._refuse("numbers", self.values, remedy="remove nan")
        if self.weights and not self._weights_fit:
            rule = f"one weight >= 0 for each of {len(self.values)} values and a positive sum"
            self._refuse(rule, self.weights, remedy="omit weights for equal ones")

    @property
    def _weights_fit(self) -> bool:
        same = len(self.weights) == len(self.values)
        return same and min(self.weights) >= 0 and 0 < sum(self.weights) < math.inf

    @override
    def icdf(self, u: Tensor) -> Tensor:
        steps = torch.tensor(self.edges, dtype=torch.float64, device="cpu")
        index = torch.bucketize(u.contiguous(), steps, right=True)
        return torch.tensor(self.values, dtype=torch.float64, device="cpu")[index]

    @override
    def contains(self, value: Tensor) -> Tensor:
        return torch.isin(
            value, torch.tensor(self._possible, dtype=value.dtype, device=value.device)
        )

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        weights = self.weights or (1.0,) * len(self.values)
        values = torch.tensor(self.values, dtype=value.dtype, device=value.device)
        shares = torch.tensor(weights, dtype=torch.float64, device=value.device)
        same = value[..., None] == values  # (..., values)
        return (same * shares).sum(-1).log() - math.log(math.fsum(weights))

    @property
    @override
    def support(self) -> tuple[float, float]:
        return min(self._possible), max(self._possible)

    @override
    def to_plain(self) -> object:
        if not self.weights:
            return {self.name: list(self.values)}
        return {self.name: {"values": list(self.values), "weights": list(self.weights)}}

    @property
    def edges(self) -> list[float]:
        """The cumulative probabilities at which one value ends and the next begins."""
        weights = self.weights or (1.0,) * len(self.values)
        total = math.fsum(weights)
        return [math.fsum(weights[: k + 1]) / total for k in range(len(weights) - 1)]

    @property
    def _possible(self) -> list[float]:
        """Values of weight above 0."""
        weights = self.weights or (1.0,) * len(self.values)
        return [value for value, weight in zip(self.values, weights, strict=True) if weight > 0]


def _numbers(values: Any, location: Location) -> tuple[float, ...]:
    """Return a list of numbers as a tuple; see `checked_number`.

    Raises:
        FaultsError: If it is no list, or an item is no number.
    """
    values = values.tolist() if type(values) is np.ndarray else values
    if not isinstance(values, list | tuple):
        message = f"expected a list of numbers, got {values!r:.60}; write it in brackets, [1, 2]"
        raise FaultsError([Fault(location, message)])
    return tuple(checked_number(value, (*location, n)) for n, value in enumerate(values))
