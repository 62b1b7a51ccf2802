"""Priors on the line: uniform, log-uniform and normal."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch import portable
from deepbench_torch.priors.prior import Prior


@dataclass(frozen=True)
class Interval(Prior):
    """What the priors on an interval share."""

    low: float
    high: float

    def __post_init__(self) -> None:
        self._take_numbers(("low", "high"))
        if not (math.isfinite(self.high - self.low) and self.low < self.high):
            remedy = "for one value write the number alone"
            self._refuse("finite low < high", self._shown, remedy=remedy)

    @property
    def _shown(self) -> str:
        return f"[{self.low:g}, {self.high:g}]"

    @property
    @override
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        return {self.name: [self.low, self.high]}


@final
@dataclass(frozen=True)
class Uniform(Interval):
    """Even on low <= value < high."""

    name: ClassVar[str] = "uniform"

    @override
    def icdf(self, u: Tensor) -> Tensor:
        last = math.nextafter(self.high, self.low)
        return (u * (self.high - self.low)).add_(self.low).clamp_(self.low, last)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value < self.high)


@final
@dataclass(frozen=True)
class LogUniform(Interval):
    """Even in the logarithm on low <= value <= high, low > 0: every factor equally likely."""

    name: ClassVar[str] = "log_uniform"

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            self._refuse("low > 0", self._shown, remedy="write a small number above 0, or uniform")
        if self.low < 1e-300 or self.high > 1e300:  # where `portable.exp` ends
            remedy = "choose low and high within it"
            self._refuse("values from 1e-300 to 1e300", self._shown, remedy=remedy)

    @override
    def icdf(self, u: Tensor) -> Tensor:
        start, end = portable.log(torch.tensor(self.support, dtype=torch.float64, device="cpu"))
        return portable.exp((u * (end - start)).add_(start)).clamp_(self.low, self.high)

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
        self._take_numbers(("mean", "std", "low", "high"))
        shown = f"mean {self.mean:g}, std {self.std:g}, low {self.low:g}, high {self.high:g}"
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf and self.low < self.high):
            rule = "a finite mean, std > 0 and low < high"
            self._refuse(rule, shown, remedy="for one value write the number alone")
        share = self._cut()[2]
        if share <= 1e-12:
            remedy = "move the cut nearer to the mean"
            self._refuse("some weight between low and high", shown, remedy=remedy)

    @override
    def icdf(self, u: Tensor) -> Tensor:
        side, start, share = self._cut()
        p = ((u if side > 0 else 1 - u) * share + start).clamp(2.0**-1000, 1 - 2.0**-53)
        deviation = portable.normal_quantile(p) * (side * self.std)
        return (deviation + self.mean).clamp(self.low, self.high)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high) & value.isfinite()

    @property
    @override
    def support(self) -> tuple[float, float]:
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
