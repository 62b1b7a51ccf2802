"""Parameters: what each measures, its default prior, and the values that make sense."""

import math
import re
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from deepbench_torch.priors import Choice, Fixed, Integer, Prior

Role = Literal["column", "row", "length", "angle", "brightness", "flux", "number"]

# The unit of each role in a generated scene, as files and plots show it
UNITS: dict[Role, str] = {
    "column": "pixel",
    "row": "pixel",
    "length": "pixel",
    "angle": "radian",
    "brightness": "brightness",
    "flux": "brightness pixel2",
    "number": "",
}


class Parameter(NamedTuple):
    """One parameter of an object.

    Attributes:
        role: What it measures; decides its unit and how a recipe's fraction becomes pixels.
        prior: Distribution where a recipe has none; in the units of a recipe.
        gt: Values must be greater than this; None for no such bound.
        ge: Values must be greater than or equal to this.
        lt: Values must be less than this.
        le: Values must be less than or equal to this; infinity allows infinite ones.
        whole: Whether values must be whole numbers.
        remedy: What to do instead of a value out of range.
        period: Angle after which an object is the same again [radian]; 0 for a parameter without.
        fold: Name of the parameter of the same object that divides `period`; empty for none.
    """

    role: Role
    prior: Prior
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    whole: bool = False
    remedy: str = "set a value within that range"
    period: float = 0.0
    fold: str = ""

    @property
    def unit(self) -> str:
        """The unit in a generated scene."""
        return UNITS[self.role]

    @property
    def lower(self) -> float:
        """The lower bound, whether it makes sense itself or not; minus infinity without one."""
        return max(end for end in (self.gt, self.ge, -math.inf) if end is not None)

    @property
    def upper(self) -> float:
        """The upper bound, whether it makes sense itself or not; infinity without one."""
        return min(end for end in (self.lt, self.le, math.inf) if end is not None)

    @property
    def range(self) -> str:
        """The values that make sense, in words."""
        parts = ["whole"] * self.whole
        bounds = {">": self.gt, ">=": self.ge, "<": self.lt, "<=": self.le}
        parts += [f"{sign} {end:g}" for sign, end in bounds.items() if end not in (None, math.inf)]
        return " and ".join(parts) or "finite"

    @property
    def rule(self) -> str:
        """The values in range, as error messages name them."""
        if self.range == "finite":
            return "a finite number"
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} {self.range.removeprefix('whole and ').removeprefix('whole')}".strip()

    @property
    def largest(self) -> float:
        """The largest number of single precision that makes sense."""
        upper = torch.tensor(self.upper, dtype=torch.float32, device="cpu")
        return float(upper if self.allows(upper) else upper.nextafter(-upper.new_tensor(math.inf)))

    def allows(self, values: Tensor) -> Tensor:
        """Return whether each value makes sense: bool, the shape of `values`; NaN never does."""
        enough = values > self.lower if self.ge is None else values >= self.lower
        allowed = enough & (values < self.upper if self.le is None else values <= self.upper)
        return allowed & (values == values.round()) if self.whole else allowed


def plain_unit(unit: str) -> str:
    """Return a unit that Quantities may have; brightness is a number without one."""
    return "" if "brightness" in unit else unit


def meaning_of(name: str, docstring: str) -> str:
    """Return what the attributes of a docstring say of a name; empty if they say nothing."""
    said = re.search(rf"^ {{4,8}}{name}: (.+(?:\n {{12,}}.+)*)", docstring, re.MULTILINE)
    return " ".join(said[1].split()) if said else ""


def check_prior(path: str, field: Parameter, prior: Prior) -> None:
    """Refuse a prior that can return values out of range.

    Args:
        path: What the message calls the parameter.
        field: The parameter.
        prior: Its prior.

    Raises:
        ValueError: With the prior, the range and a remedy.
    """
    fault = prior_fault(field, prior)
    if fault is not None:
        raise ValueError(f"{path}: {fault}")


def prior_fault(field: Parameter, prior: Prior) -> str | None:
    """Return the rule, the value and the remedy of a prior that does not fit; None if it does."""
    fits = bool(field.allows(_telling_values(prior)).all())
    if fits and not (field.whole and not isinstance(prior, Fixed | Integer | Choice)):
        return None
    return f"expected {field.rule}, got {prior.to_plain()!r}; {field.remedy}"


def _telling_values(prior: Prior) -> Tensor:
    """Return values of a prior that fit a range only if all of its values do, float64."""
    ends = torch.tensor(prior.support, dtype=torch.float64, device="cpu")
    if isinstance(prior, Choice):
        values = torch.tensor(prior.values, dtype=torch.float64, device="cpu")
        return values[prior.contains(values)]
    # an end that is never given, open or infinite, gives way to the number next to it
    return torch.where(prior.contains(ends), ends, ends.nextafter(ends.flip(0)))
