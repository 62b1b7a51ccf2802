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
        above: Values must be larger than this, or equal to it if `closed`.
        below: Values must be smaller than this, or equal to it if `closed_below`.
        closed: Whether `above` itself makes sense.
        closed_below: Whether `below` itself makes sense; infinity too, where that is `below`.
        whole: Whether values must be whole numbers.
        remedy: What to do instead of a value out of range.
        period: Angle after which an object is the same again [radian]; 0 for a parameter without.
        fold: Name of the parameter of the same object that divides `period`; empty for none.
    """

    role: Role
    prior: Prior
    above: float = -math.inf
    below: float = math.inf
    closed: bool = False
    closed_below: bool = False
    whole: bool = False
    remedy: str = "set a value within that range"
    period: float = 0.0
    fold: str = ""

    @property
    def unit(self) -> str:
        """The unit in a generated scene."""
        return UNITS[self.role]

    @property
    def range(self) -> str:
        """The values that make sense, in words."""
        parts = ["whole"] * self.whole
        parts += [f"{'>=' if self.closed else '>'} {self.above:g}"] * (self.above > -math.inf)
        parts += [f"{'<=' if self.closed_below else '<'} {self.below:g}"] * (self.below < math.inf)
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
        below = torch.tensor(self.below, dtype=torch.float32, device="cpu")
        return float(below if self.allows(below) else below.nextafter(-below.new_tensor(math.inf)))

    def allows(self, values: Tensor) -> Tensor:
        """Return whether each value makes sense: bool, the shape of `values`; NaN never does."""
        enough = values >= self.above if self.closed else values > self.above
        allowed = enough & (values <= self.below if self.closed_below else values < self.below)
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
