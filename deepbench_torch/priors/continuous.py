"""Continuous priors: uniform, log-uniform and normal."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics import exact_math
from deepbench_torch.priors.prior import Prior


@dataclass(frozen=True)
class Interval(Prior):
    """Base class of the priors on an interval."""

    low: float
    high: float

    def __post_init__(self) -> None:
        self._convert_numbers(("low", "high"))
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
    """Uniform distribution on low <= value < high."""

    name: ClassVar[str] = "uniform"

    @override
    def icdf(self, u: Tensor) -> Tensor:
        last = math.nextafter(self.high, self.low)
        return (u * (self.high - self.low)).add_(self.low).clamp_(self.low, last)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value < self.high)

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        return value.double() * 0 - math.log(self.high - self.low)


@final
@dataclass(frozen=True)
class LogUniform(Interval):
    """Uniform distribution of the logarithm on low <= value <= high, low > 0."""

    name: ClassVar[str] = "log_uniform"

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            self._refuse("low > 0", self._shown, remedy="write a small number above 0, or uniform")
        if self.low < 1e-300 or self.high > 1e300:  # the domain of `exact_math.exp`
            remedy = "choose low and high in this range"
            self._refuse("values from 1e-300 to 1e300", self._shown, remedy=remedy)

    @override
    def icdf(self, u: Tensor) -> Tensor:
        start, end = exact_math.log(torch.tensor(self.support, dtype=torch.float64, device="cpu"))
        return exact_math.exp((u * (end - start)).add_(start)).clamp_(self.low, self.high)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high)

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        span = math.log(self.high) - math.log(self.low)
        return -value.double().log() - math.log(span)


@final
@dataclass(frozen=True)
class PowerLaw(Interval):
    """Density in proportion to value**slope on low <= value <= high, low > 0.

    The luminosity functions and number counts of astronomy have this form.

    Attributes:
        low: Least value.
        high: Largest value.
        slope: Exponent of the density; -1 is `LogUniform`.
    """

    name: ClassVar[str] = "power_law"
    slope: float

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self._convert_numbers(("slope",))
        if self.low <= 0:
            self._refuse("low > 0", self._shown, remedy="write a small number above 0, or uniform")
        if not math.isfinite(self.slope) or abs(self.slope + 1) < 1e-3:
            self._refuse(
                "a finite slope other than -1", self.slope, remedy="for -1 use log_uniform"
            )
        ends = [abs(self.slope + 1) * math.log(end) for end in self.support]
        if max(map(abs, ends)) > 600:  # the domain of `exact_math.exp`
            remedy = "choose another slope, or low and high nearer to 1"
            self._refuse("values**(slope + 1) from 1e-260 to 1e260", self._shown, remedy=remedy)

    def steps(self) -> tuple[float, float, float]:
        """Return start, span and power: the value at `u` is (start + span u)**power."""
        logs = exact_math.log(torch.tensor(self.support, dtype=torch.float64, device="cpu"))
        start, end = exact_math.exp(logs * (self.slope + 1)).tolist()
        return start, end - start, 1 / (self.slope + 1)

    @override
    def icdf(self, u: Tensor) -> Tensor:
        start, span, power = self.steps()
        logarithm = exact_math.log((u * span).add_(start))
        return exact_math.exp(logarithm * power).clamp_(self.low, self.high)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high)

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        _, span, power = self.steps()
        return value.double().log() * self.slope - math.log(span * power)

    @override
    def to_plain(self) -> object:
        return {self.name: [self.low, self.high, self.slope]}


@final
@dataclass(frozen=True)
class Normal(Prior):
    """Normal distribution, truncated to low <= value <= high.

    Attributes:
        mean: Mean before truncation.
        std: Standard deviation before truncation.
        low: Least value, or -inf.
        high: Largest value, or inf.
    """

    name: ClassVar[str] = "normal"
    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        self._convert_numbers(("mean", "std", "low", "high"))
        shown = f"mean {self.mean:g}, std {self.std:g}, low {self.low:g}, high {self.high:g}"
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf and self.low < self.high):
            rule = "a finite mean, std > 0 and low < high"
            self._refuse(rule, shown, remedy="for one value write the number alone")
        probability = self.truncation()[2]
        if probability <= 1e-12:
            remedy = "move low and high nearer to the mean"
            self._refuse("a probability above 1e-12 between low and high", shown, remedy=remedy)

    @override
    def icdf(self, u: Tensor) -> Tensor:
        side, start, span = self.truncation()
        p = ((u if side > 0 else 1 - u) * span + start).clamp(2.0**-1000, 1 - 2.0**-53)
        deviation = exact_math.normal_quantile(p) * (side * self.std)
        return (deviation + self.mean).clamp(self.low, self.high)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return (value >= self.low) & (value <= self.high) & value.isfinite()

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        probability = self.truncation()[2]
        scale = math.log(self.std * math.sqrt(2 * math.pi)) + math.log(probability)
        return -((value.double() - self.mean) / self.std).square() / 2 - scale

    @property
    @override
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @override
    def to_plain(self) -> object:
        plain = {"mean": self.mean, "std": self.std, "low": self.low, "high": self.high}
        return {self.name: {key: value for key, value in plain.items() if math.isfinite(value)}}

    def truncation(self) -> tuple[int, float, float]:
        """Return the tail (1 lower, -1 upper), the probability beyond it, and that between.

        Probabilities are counted from the tail nearer to the interval, so small ones keep their
        digits. They are rounded to 36 bits, because the last bits of `erfc` differ by machine.
        """
        low, high = ((end - self.mean) / (self.std * math.sqrt(2)) for end in (self.low, self.high))
        side = -1 if low + high > 0 else 1
        ends = (low, high) if side > 0 else (-high, -low)
        start, end = (_rounded(math.erfc(-end) / 2) for end in ends)
        return side, start, end - start


def _rounded(number: float) -> float:
    """Round a number to 36 bits."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(math.ldexp(mantissa, 36)), exponent - 36)
