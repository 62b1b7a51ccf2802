"""Priors: the distributions from which parameters are drawn.

A prior turns unit numbers into values by its inverse cumulative distribution, so it holds no state,
and tells with `contains` which values it can give. Values are float64 with the same bits on every
machine.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch import portable


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


@dataclass(frozen=True)
class _Interval(Prior):
    """What the priors on an interval share."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.high - self.low) and self.low < self.high):
            raise ValueError(
                f"{self.name} needs finite low < high, got [{self.low:g}, {self.high:g}]; "
                "for one value write the number alone"
            )

    @override
    def value(self, u: Tensor) -> Tensor:
        return values((self,), u.reshape(-1, 1)).view(u.shape)

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        return {self.name: [self.low, self.high]}


@final
@dataclass(frozen=True)
class Uniform(_Interval):
    """Even on low <= value < high."""

    name: ClassVar[str] = "uniform"

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value < self.high)


@final
@dataclass(frozen=True)
class LogUniform(_Interval):
    """Even in the logarithm on low <= value <= high, low > 0: every factor equally likely."""

    name: ClassVar[str] = "log_uniform"

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise ValueError(f"log_uniform needs low > 0, got [{self.low:g}, {self.high:g}]")
        if self.low < 1e-300 or self.high > 1e300:  # where `portable.exp` ends
            raise ValueError(
                f"log_uniform reaches from 1e-300 to 1e300, got [{self.low:g}, {self.high:g}]"
            )

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high)


@final
@dataclass(frozen=True)
class Normal(Prior):
    """A normal distribution cut to low <= value <= high.

    Attributes:
        mean: Mean before the cut.
        std: Standard deviation before the cut.
        low: Least value; it may be -inf.
        high: Largest value; it may be inf.
    """

    name: ClassVar[str] = "normal"
    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf and self.low < self.high):
            raise ValueError(
                f"normal needs a finite mean, std > 0 and low < high, got mean {self.mean:g}, "
                f"std {self.std:g}, low {self.low:g}, high {self.high:g}"
            )
        share = self._cut()[2]
        if share <= 1e-12:
            raise ValueError(
                f"normal has no weight between low {self.low:g} and high {self.high:g} "
                f"(mean {self.mean:g}, std {self.std:g}); move the cut nearer to the mean"
            )

    @override
    def value(self, u: Tensor) -> Tensor:
        side, start, share = self._cut()
        p = ((u if side > 0 else 1 - u) * share + start).clamp(2.0**-1000, 1 - 2.0**-53)
        deviation = portable.normal_quantile(p) * (side * self.std)
        return (deviation + self.mean).clamp(self.low, self.high)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high) & value.isfinite()

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        plain = {"mean": self.mean, "std": self.std, "low": self.low, "high": self.high}
        return {self.name: {key: value for key, value in plain.items() if math.isfinite(value)}}

    def _cut(self) -> tuple[int, float, float]:
        """The tail to count from, 1 or -1, the probability cut off there, and the share left.

        Counted from the tail in which the interval lies, small probabilities keep their digits.
        They are rounded to 36 bits, for the last bits of `erfc` differ between machines.
        """
        low, high = ((end - self.mean) / (self.std * math.sqrt(2)) for end in (self.low, self.high))
        side = -1 if low + high > 0 else 1
        ends = (low, high) if side > 0 else (-high, -low)
        start, end = (_rounded(math.erfc(-end) / 2) for end in ends)
        return side, start, end - start


def _rounded(number: float) -> float:
    """The number, of 36 bits."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(math.ldexp(mantissa, 36)), exponent - 36)


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


PRIORS: tuple[type[Prior], ...] = (Uniform, LogUniform, Normal, Integer, Choice, Fixed)


def values(priors: Sequence[Prior], u: Tensor) -> Tensor:
    """Values of several priors at once, each its own column; equal to `value` one by one.

    Those on an interval are worked out together, which for a small batch saves most of the time.

    Args:
        priors: S priors.
        u: float64 strictly between 0 and 1, shape (B, S, ...).

    Returns:
        float64, the shape of `u`.
    """
    plan = _interval_plan(tuple(priors))
    start, span, least, last = (ends.view(-1, *[1] * (u.dim() - 2)) for ends in plan.ends)
    result = (u * span).add_(start)
    if plan.logarithmic:
        result[:, plan.logarithmic] = portable.exp(result[:, plan.logarithmic])
    result.clamp_(least, last)
    for place in plan.others:
        result[:, place] = priors[place].value(u[:, place])
    return result


class _IntervalPlan(NamedTuple):
    """Which of several priors lie on an interval, and their ends; float64 of shape (S,) each."""

    logarithmic: list[int]
    others: list[int]
    ends: tuple[Tensor, Tensor, Tensor, Tensor]  # start and span to draw, least and last value


@lru_cache(maxsize=1024)
def _interval_plan(priors: tuple[Prior, ...]) -> _IntervalPlan:
    """The plan for some priors; those not on an interval get ends that mean nothing."""
    kinds = [type(prior) for prior in priors]
    intervals = [prior.bounds if isinstance(prior, _Interval) else (0.0, 1.0) for prior in priors]
    low, high = torch.tensor(intervals, dtype=torch.float64).view(-1, 2).unbind(1)
    logarithmic = torch.tensor([kind is LogUniform for kind in kinds], dtype=torch.bool)
    one = torch.ones_like(low)
    start = torch.where(logarithmic, portable.log(low.where(logarithmic, one)), low)
    end = torch.where(logarithmic, portable.log(high.where(logarithmic, one)), high)
    last = torch.where(logarithmic, high, torch.nextafter(high, low))
    return _IntervalPlan(
        logarithmic=[place for place, kind in enumerate(kinds) if kind is LogUniform],
        others=[place for place, kind in enumerate(kinds) if not issubclass(kind, _Interval)],
        ends=(start, end - start, low, last),
    )


def prior_from_plain(plain: object) -> Prior:
    """Read a prior as it stands in a recipe.

    A number alone is `Fixed`; otherwise a mapping of one name to its arguments, as
    `{uniform: [0, 1]}`, `{normal: {mean: 2, std: 1, low: 0}}` or `{choice: [2, 4]}`.

    Raises:
        ValueError: If it is none of these; the message lists the names.
    """
    if isinstance(plain, Prior):
        return plain
    if isinstance(plain, int | float) and not isinstance(plain, bool):
        return Fixed(float(plain))
    names = {prior.name: prior for prior in PRIORS}
    if not isinstance(plain, Mapping) or len(plain) != 1 or next(iter(plain)) not in names:
        raise ValueError(
            f"a prior is a number or one of {', '.join(names)} with its arguments, as in "
            f"{{uniform: [0, 1]}}, got {plain!r}"
        )
    name, arguments = next(iter(plain.items()))
    return _build(names[name], arguments)


def _build(kind: type[Prior], arguments: object) -> Prior:
    """A prior from the arguments of a recipe: a mapping by name, a list in order, or one number."""
    build: Callable[..., Prior] = kind
    try:
        if isinstance(arguments, Mapping):
            return build(**{key: _numbers(value) for key, value in arguments.items()})
        if isinstance(arguments, list | tuple) and kind is not Choice:
            return build(*(_number(value) for value in arguments))
        return build(_numbers(arguments))
    except TypeError as error:
        raise ValueError(f"{kind.name} does not take {arguments!r}: {error}") from None


def _numbers(value: object) -> object:
    """A number as it is, a list of numbers as a tuple of floats."""
    if isinstance(value, list | tuple):
        return tuple(float(_number(part)) for part in value)
    return _number(value)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    remedy = "; YAML takes 1e-3 for text, write 1.0e-3" if isinstance(value, str) else ""
    raise TypeError(f"{value!r} is not a number{remedy}")
