"""Moments of priors: sums over values with weights that stand for a distribution."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.priors.discrete import Choice, Integer
from deepbench_torch.priors.prior import Fixed, Prior

_STEPS_A_UNIT, _FARTHEST = 32, 3  # of the rule's variable; beyond it lies a probability of 4e-14
_MOST_INTEGERS = 4096  # summed one by one; the rule for continuous priors takes more


class Nodes(NamedTuple):
    """Values of a distribution and their weights, whose sum is 1; float64, shape (N,) each."""

    values: Tensor
    weights: Tensor


@lru_cache(maxsize=1024)
@independent_of_settings
def nodes(prior: Prior) -> Nodes:
    """Return the values and weights of a prior, the same bits on every CPU.

    A discrete prior has its own values and probabilities. For any other, `icdf` is integrated by
    the double exponential rule (Takahasi & Mori 1974), whose error is below 1e-10 even where values
    go to infinity at an end.

    Example:
        >>> from deepbench_torch.priors import Integer
        >>> nodes(Integer(1, 2)).values.tolist()
        [1.0, 2.0]
    """
    match prior:
        case Fixed(at):
            return evenly([at])
        case Integer(low, high) if high - low < _MOST_INTEGERS:
            return evenly([float(value) for value in range(int(low), int(high) + 1)])
        case Choice(choices, frequencies):
            shares = frequencies or (1.0,) * len(choices)
            there = [pair for pair in zip(choices, shares, strict=True) if pair[1] > 0]
            return _normalised(*(_tensor(column) for column in zip(*there, strict=True)))
    u, weights = _rule()
    return Nodes(prior.icdf(u), weights)


def evenly(values: list[float] | Tensor) -> Nodes:
    """Return values of equal weight."""
    tensor = values if isinstance(values, Tensor) else _tensor(values)
    return _normalised(tensor, torch.ones_like(tensor))


def mixture(parts: list[Nodes]) -> Nodes:
    """Return the values of several distributions, each as frequent as the others."""
    return _normalised(*(torch.cat(column) for column in zip(*parts, strict=True)))


def product(first: Nodes, second: Nodes) -> tuple[Tensor, Tensor, Tensor]:
    """Return all pairs of values of two independent distributions, and the weights of the pairs."""
    one = first.values.repeat_interleave(len(second.values))
    other = second.values.repeat(len(first.values))
    return one, other, (first.weights[:, None] * second.weights).flatten()


def mean_and_std(distribution: Nodes) -> tuple[float, float]:
    """Return mean and standard deviation, correctly rounded sums.

    Example:
        >>> from deepbench_torch.priors import Integer
        >>> mean_and_std(nodes(Integer(1, 3)))
        (2.0, 0.816496580927726)
    """
    values, weights = distribution.values.tolist(), distribution.weights.tolist()
    pairs = list(zip(values, weights, strict=True))
    mean = math.fsum(value * weight for value, weight in pairs)
    deviations = [(value - mean, weight) for value, weight in pairs]
    return mean, math.sqrt(math.fsum(each * each * weight for each, weight in deviations))


@lru_cache(maxsize=1)
def _rule() -> tuple[Tensor, Tensor]:
    """Return cumulative probabilities and weights of the double exponential rule."""
    steps = torch.arange(
        -_FARTHEST * _STEPS_A_UNIT,
        _FARTHEST * _STEPS_A_UNIT + 1,
        dtype=torch.float64,
        device="cpu",
    )
    rise, fall = exact_math.exp(steps / _STEPS_A_UNIT), exact_math.exp(-steps / _STEPS_A_UNIT)
    odds = exact_math.exp((rise - fall) * (math.pi / 2))
    u = odds / (odds + 1.0)
    weights = (rise + fall) * u / (odds + 1.0)
    return _normalised(u, weights)


def _normalised(values: Tensor, weights: Tensor) -> Nodes:
    return Nodes(values, weights / math.fsum(weights.tolist()))


def _tensor(numbers: list[float] | tuple[float, ...]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64, device="cpu")
