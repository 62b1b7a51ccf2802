"""What a prior is, and the one that gives a single value."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override


class Prior(ABC):
    """A distribution over one parameter."""

    name: ClassVar[str]

    @abstractmethod
    def value(self, u: Tensor) -> Tensor:
        """Values at the cumulative probabilities `u`.

        Args:
            u: float64 strictly between 0 and 1, any shape.

        Returns:
            float64, the shape of `u`.
        """

    @abstractmethod
    def contains(self, value: Tensor) -> Tensor:
        """Whether this prior can give each value: bool, the shape of `value`."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value, or what they approach: `contains` tells which."""

    @abstractmethod
    def to_plain(self) -> object:
        """The prior as it stands in a recipe: numbers, lists and mappings."""


@final
@dataclass(frozen=True)
class Fixed(Prior):
    """Always the same value, which may be infinite."""

    name: ClassVar[str] = "fixed"
    at: float

    def __post_init__(self) -> None:
        if math.isnan(self.at):
            raise ValueError("fixed needs a number, got nan")

    @override
    def value(self, u: Tensor) -> Tensor:
        return torch.full_like(u, self.at)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return value == self.at

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        return self.at, self.at

    @override
    def to_plain(self) -> object:
        return self.at
