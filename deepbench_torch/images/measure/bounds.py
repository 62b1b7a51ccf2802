"""Bounds of parameters: a change of variables whose every real number is in range."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.priors.parameter import Parameter

_EDGE = 1e-6  # starting values keep this distance from a bound, as a share of the range


class Bounds(NamedTuple):
    """Free variables of parameters: the parameter itself, its logarithm or its logit.

    A parameter with a lower bound alone is that bound plus an exponential, one with both bounds a
    logistic function between them.

    Attributes:
        lower: Lower bounds, shape (P, 1).
        upper: Upper bounds, shape (P, 1).
    """

    lower: Tensor
    upper: Tensor

    @classmethod
    def of(cls, fields: Sequence[Parameter]) -> "Bounds":
        """Return the bounds of parameters."""
        ends = torch.tensor(
            [[field.lower, field.upper] for field in fields], dtype=torch.float64, device="cpu"
        ).view(-1, 2)
        return cls(ends[:, :1], ends[:, 1:])

    @property
    def is_free(self) -> Tensor:
        """Whether a parameter has no bound, shape (P, 1)."""
        return self.lower == -math.inf

    def to_free(self, values: Tensor) -> Tensor:
        """Return the free variables of parameters, shape (P, B)."""
        lower, width = self._finite()
        offset = (values - lower).clamp_min(_EDGE)
        share = ((values - lower) / width).clamp(_EDGE, 1 - _EDGE)
        bounded = torch.where(self.upper < math.inf, share.logit(), offset.log())
        return torch.where(self.is_free, values, bounded)

    def to_values(self, free: Tensor) -> tuple[Tensor, Tensor]:
        """Return parameters and their derivatives by the free variables, shape (P, B) each."""
        lower, width = self._finite()
        rise = free.clamp(-700, 700).exp()
        share = free.sigmoid()
        both = self.upper < math.inf
        change = torch.where(both, width * share * (1 - share), rise)
        values = lower + torch.where(both, width * share, rise)
        one = torch.ones_like(free)
        return torch.where(self.is_free, free, values), torch.where(self.is_free, one, change)

    def _finite(self) -> tuple[Tensor, Tensor]:
        """Return finite lower bounds and widths, 0 and 1 where there are none, shape (P, 1)."""
        lower = torch.where(self.is_free, 0.0, self.lower)
        return lower, torch.where(self.upper < math.inf, self.upper - lower, 1.0)
