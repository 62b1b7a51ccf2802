"""Base class of priors, and the prior of a single value."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NoReturn, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics.checks import Fault, FaultsError, is_number
from deepbench_torch.numerics.quantities import NO_UNIT, in_unit, is_quantity, plain_number

NUMBER_TEXT = "YAML reads 1e-3 and -.3 as text, write 1.0e-3 and -0.3"
UNIT_REMEDY = f"{NO_UNIT}, or write the prior as a mapping in a recipe, where its unit is known"
LARGEST = 1e308  # largest whole number that is converted to float


class Prior(ABC):
    """Distribution of one parameter."""

    name: ClassVar[str]

    def _refuse(self, rule: str, found: object, *, remedy: str) -> NoReturn:
        """Raise an error about the arguments.

        Raises:
            FaultsError: With the name of the prior, the rule, the value found and the remedy.
        """
        shown = found if isinstance(found, str) else repr(found)
        raise FaultsError([Fault((self.name,), f"expected {rule}, got {shown}; {remedy}")])

    def _convert_numbers(self, names: tuple[str, ...]) -> None:
        """Convert numbers of NumPy and torch and Quantities without unit to int or float.

        Args:
            names: Names of the arguments, one number each.

        Raises:
            FaultsError: If an argument is no number.
        """
        for name in names:
            number = checked_number(getattr(self, name), (self.name, name))
            object.__setattr__(self, name, number)

    @abstractmethod
    def icdf(self, u: Tensor) -> Tensor:
        """Return the inverse cumulative distribution at `u`.

        Args:
            u: Cumulative probabilities strictly between 0 and 1, float64, any shape.

        Returns:
            float64, the shape of `u`.
        """

    @abstractmethod
    def contains(self, value: Tensor) -> Tensor:
        """Return whether each value is possible: bool, the shape of `value`."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density, or of the probability of a discrete value.

        `Uniform`, `LogUniform` and `Normal` have a density per unit of the value; it includes the
        truncation of `Normal`. `Integer`, `Choice` and `Fixed` have the probability of each value,
        so 0 for the value of `Fixed`. Both are -inf where `contains` is False, also at NaN.

        Args:
            value: Values in the units of the prior, any shape and real dtype. float32 values are
                compared with the support in float32.

        Returns:
            float64, the shape of `value`; differentiable inside the support of a density.

        Example:
            >>> import torch
            >>> from deepbench_torch.priors import Uniform
            >>> Uniform(0, 4).log_prob(torch.tensor([1.0, 5.0])).exp()
            tensor([0.2500, 0.0000], dtype=torch.float64)
        """
        real = value if value.is_floating_point() else value.double()
        inside = self.contains(real)
        # where a value is impossible, the formula gets a possible one: no nan in the gradient
        possible = torch.where(inside, real, _median(self))
        return torch.where(inside, self._log_density(possible), -math.inf)

    @abstractmethod
    def _log_density(self, value: Tensor) -> Tensor:
        """Return `log_prob` of possible values."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Infimum and supremum of the values; `contains` returns whether they are included."""

    @abstractmethod
    def to_plain(self) -> object:
        """Return the prior as a recipe writes it: numbers, lists and mappings."""


@lru_cache(maxsize=4096)
def _median(prior: Prior) -> float:
    """Return a value that a prior can take."""
    return float(prior.icdf(torch.tensor(0.5, dtype=torch.float64, device="cpu")))


def checked_number(value: Any, location: tuple[str | int, ...]) -> float:
    """Return an argument of a prior as int or float.

    Args:
        value: Argument as the user wrote it.
        location: Names of the prior and the argument, for the message.

    Raises:
        FaultsError: If it is no number, or has a unit.
    """
    if is_quantity(value):
        where = ".".join(map(str, location))
        try:
            value = in_unit(value, "", where=where, remedy=UNIT_REMEDY)
        except ValueError as error:
            message = str(error).removeprefix(f"{where}: ")
            raise FaultsError([Fault(location, message)]) from None
    number = plain_number(value)
    if isinstance(number, float) or (type(number) is int and abs(number) < LARGEST):
        return number
    remedy = NUMBER_TEXT if is_number(number) else "write a number as in 1 or 0.5"
    message = f"expected a number, got {' '.join(repr(value).split()):.60}; {remedy}"
    raise FaultsError([Fault(location, message)])


@final
@dataclass(frozen=True)
class Fixed(Prior):
    """Distribution of a single value, which may be infinite."""

    name: ClassVar[str] = "fixed"
    at: float

    def __post_init__(self) -> None:
        self._convert_numbers(("at",))
        if math.isnan(self.at):
            self._refuse("a number", self.at, remedy="write a number, or inf for a solid shape")

    @override
    def icdf(self, u: Tensor) -> Tensor:
        return torch.full_like(u, self.at)

    @override
    def contains(self, value: Tensor) -> Tensor:
        return value == self.at

    @override
    def _log_density(self, value: Tensor) -> Tensor:
        return torch.zeros_like(value, dtype=torch.float64)

    @property
    @override
    def support(self) -> tuple[float, float]:
        return self.at, self.at

    @override
    def to_plain(self) -> object:
        return self.at
