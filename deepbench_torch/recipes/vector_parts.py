"""Parts of a vector: one parameter each, in units of its prior."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics import exact_math
from deepbench_torch.priors.nodes import Nodes, mean_and_std, product

ANGLE_PARTS = ("cos", "sin")
_UNIFORM = math.sqrt(0.5)  # standard deviation of the cosine of a uniform angle
_TURN = 2 * math.pi
_NARROW = 1e-7  # standard deviation of a cosine below which it counts as constant


@dataclass(frozen=True, kw_only=True)
class VectorPart(ABC):
    """One parameter of a vector.

    Attributes:
        name: Owner and name of the parameter, as "galaxy/radius".
        unit: Unit of the parameter, "" for a plain number.
    """

    name: str
    unit: str

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the other parameters that the values depend on."""
        return ()

    @abstractmethod
    def decode(self, columns: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Return the parameter, float64, shape (...).

        Args:
            columns: Its columns, float64, shape (..., columns).
            values: The parameters that it needs, shape (...).
        """

    @abstractmethod
    def text(self) -> str:
        """Return the scaling as `repr` shows it."""


@final
@dataclass(frozen=True, kw_only=True)
class NumberPart(VectorPart):
    """A number, or its logarithm, with mean 0 and variance 1.

    Attributes:
        mean: Mean of the number in a recipe, or of its logarithm.
        std: Standard deviation of the same.
        logarithmic: Whether the logarithm is scaled.
        scale: Pixels of a unit of the recipe, or 1.
        shift: Pixel at which the recipe's unit begins.
        solid: Number of the recipe that stands for infinity.
        largest: Largest finite number of the recipe, if infinity is possible.
    """

    mean: float
    std: float
    logarithmic: bool = False
    scale: float = 1.0
    shift: float = 0.0
    solid: float = math.inf
    largest: float = math.inf

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @override
    def decode(self, columns: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        number = columns[..., 0] * self.std + self.mean
        number = number.exp() if self.logarithmic else number
        if math.isfinite(self.solid):
            number = torch.where(number * 2 > self.largest + self.solid, math.inf, number)
        return number * self.scale + self.shift

    @override
    def text(self) -> str:
        if self.logarithmic:
            middle, factor = math.exp(self.mean) * self.scale, math.exp(self.std)
            return f"log: {middle:.4g} */ {factor:.3g}{self._unit}"
        middle, width = self.mean * self.scale + self.shift, self.std * self.scale
        middle = 0.0 if abs(middle) < 1e-9 * width else middle
        return f"{middle:.4g} +- {width:.4g}{self._unit}"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


@final
@dataclass(frozen=True, kw_only=True)
class AnglePart(VectorPart):
    """An angle as cosine and sine of its multiple that turns once within its symmetry.

    Attributes:
        period: Angle after which an object is the same again [radian].
        fold: Name of the parameter that divides the period; empty for none.
        start: Least angle that decoding returns [radian].
        means: Means of cosine and sine.
        stds: Standard deviations of cosine and sine.
    """

    period: float
    fold: str = ""
    start: float = 0.0
    means: tuple[float, float] = (0.0, 0.0)
    stds: tuple[float, float] = (_UNIFORM, _UNIFORM)

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}:{part}" for part in ANGLE_PARTS)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return (self.fold,) if self.fold else ()

    @override
    def decode(self, columns: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        cosine, sine = (
            columns[..., n] * std + mean
            for n, (mean, std) in enumerate(zip(self.means, self.stds, strict=True))
        )
        period: Tensor | float = self.period
        if self.fold:
            period = self.period / values[self.fold].round().clamp_min(1.0)
        angle = torch.atan2(sine, cosine) / _TURN * period
        steps = ((angle - self.start) / period).floor()
        angle = angle - steps * period
        # single precision must not round up to the open end
        return torch.where(angle.float() >= self.start + period, self.start, angle)

    @override
    def text(self) -> str:
        return (
            f"cos and sin, period {self.period:.4g}{f' / {self.fold}' if self.fold else ''} radian"
        )


def encode_numbers(parts: Sequence[NumberPart], values: Tensor) -> Tensor:
    """Return the columns of numbers, float64, shape (B, P).

    Args:
        parts: P parts.
        values: The parameters, float64, shape (B, P).
    """
    settings = [(p.scale, p.shift, p.mean, p.std, p.solid) for p in parts]
    scale, shift, mean, std, solid = values.new_tensor(settings).view(-1, 5).unbind(1)
    numbers = (values - shift) / scale
    if any(math.isfinite(part.solid) for part in parts):
        numbers = torch.where(numbers == math.inf, solid, numbers)
    logs = [place for place, part in enumerate(parts) if part.logarithmic]
    if logs:
        numbers[:, logs] = _log(numbers[:, logs])
    return (numbers - mean) / std


def encode_angles(parts: Sequence[AnglePart], values: Tensor, folds: Tensor) -> Tensor:
    """Return the columns of angles, float64, shape (B, P, 2); NaN for an angle that is not finite.

    Args:
        parts: P parts.
        values: The angles, float64, shape (B, P).
        folds: The numbers that divide their periods, float64, shape (B, P).
    """
    turned = turns(values, folds, period=values.new_tensor([part.period for part in parts]))
    finite = turned.isfinite()
    turned = torch.where(finite, turned, 0.0)
    pairs = torch.stack((exact_math.cos(turned), exact_math.sin(turned)), dim=2)
    means = values.new_tensor([part.means for part in parts]).view(-1, 2)
    stds = values.new_tensor([part.stds for part in parts]).view(-1, 2)
    return torch.where(finite[..., None], (pairs - means) / stds, math.nan)


def turns(angle: Tensor, fold: Tensor, *, period: Tensor | float) -> Tensor:
    """Return the multiple of an angle that turns once within `period / fold`."""
    return angle * fold * (_TURN / period)


def angle_moments(
    angles: list[tuple[Nodes, Nodes]], *, period: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return means and standard deviations of cosine and sine; None if both are constant.

    A cosine or sine that is constant keeps the standard deviation of a uniform angle.

    Args:
        angles: Angles and the numbers that divide the period, equally frequent mixtures.
        period: Angle after which an object is the same again [radian].
    """
    pairs = [product(*pair) for pair in angles]
    turned = torch.cat([turns(angle, fold, period=period) for angle, fold, _ in pairs])
    weights = torch.cat([weight for *_, weight in pairs]) / len(pairs)
    columns = [
        mean_and_std(Nodes(part(turned), weights)) for part in (exact_math.cos, exact_math.sin)
    ]
    if all(std < _NARROW for _, std in columns):
        return None
    means = columns[0][0], columns[1][0]
    stds = [std if std >= _NARROW else _UNIFORM for _, std in columns]
    return means, (stds[0], stds[1])


def _log(number: Tensor) -> Tensor:
    """Return the logarithm, the same bits on every CPU; -inf at 0 and NaN below."""
    positive = (number > 0) & (number < math.inf)
    return torch.where(positive, exact_math.natural_log(number.where(positive, 1.0)), number.log())
