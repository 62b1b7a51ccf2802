"""Conditions of an exposure: numbers that may differ from image to image."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from torch import Tensor

from deepbench_torch.numerics import rng
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.numerics.quantities import plain_number
from deepbench_torch.objects.grid import Grid, per_pixel
from deepbench_torch.priors import Fixed, Prior, prior_from_plain
from deepbench_torch.priors.parameter import Parameter, prior_fault

LARGEST = 1e9  # of a condition; the smallest is its inverse
_LARGER = "write a larger number"
# By name: what each measures, its value where a recipe has no such effect, and its range
CONDITIONS: dict[str, Parameter] = {
    "fwhm": Parameter("length", Fixed(0.0), above=0.0, remedy=_LARGER),
    "alpha": Parameter(
        "number", Fixed(2.5), above=1.001, below=1e4, remedy="seeing through air gives 2.5 to 4.8"
    ),
    "gradient": Parameter("brightness", Fixed(0.0)),
    "gradient_angle": Parameter("angle", Fixed(0.0), period=2 * math.pi),
    "exposure": Parameter("number", Fixed(1.0), above=0.0, remedy=_LARGER),
    "background": Parameter("brightness", Fixed(0.0), above=0.0, closed=True, remedy=_LARGER),
    "pedestal_snr": Parameter("number", Fixed(1.0), above=0.0, remedy=_LARGER),
    "sigma": Parameter("brightness", Fixed(0.0), above=0.0, remedy=_LARGER),
    "snr": Parameter("number", Fixed(1.0), above=0.0, remedy=_LARGER),
}

Values: TypeAlias = Mapping[str, Tensor]
"""Conditions by name, one value an image: float32, shape (B,)."""


def _plain(setting: float | Prior) -> object:
    return setting.to_plain() if isinstance(setting, Prior) else setting


Setting = Annotated[float | Prior, PlainSerializer(_plain), WithJsonSchema({})]


class Effect(BaseModel):
    """Base of all effects: each of its numbers is a number or a prior.

    Attributes:
        conditions: The condition that each field sets, by field.
    """

    # an infinite number stays a number in JSON
    model_config = ConfigDict(arbitrary_types_allowed=True, ser_json_inf_nan="constants")

    conditions: ClassVar[Mapping[str, str]]

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        """Return a number as float and everything else as the prior that it describes."""
        name = cls.conditions.get(str(info.field_name))
        if name is None or value is None:
            return value
        number = plain_number(value)
        if isinstance(number, float) and not math.isfinite(number):
            message = f"expected a finite number, got {number}; write a number without nan and inf"
            raise FaultsError([Fault((), message)])
        prior = prior_from_plain(number)
        fault = prior_fault(CONDITIONS[name], prior) or _extreme_fault(prior)
        if fault is not None:
            raise FaultsError([Fault((), fault)])
        return prior.at if isinstance(prior, Fixed) else prior

    @property
    def priors(self) -> dict[str, Prior]:
        """The prior of each condition that is set, by name."""
        fields = {name: getattr(self, field) for field, name in self.conditions.items()}
        return {name: as_prior(value) for name, value in fields.items() if value is not None}


def _extreme_fault(prior: Prior) -> str | None:
    """Return the fault of a prior whose ends single precision cannot hold, or square."""
    sizes = [abs(end) for end in prior.support if end and math.isfinite(end)]
    if all(1 / LARGEST <= size <= LARGEST for size in sizes):
        return None
    rule = f"expected sizes from {1 / LARGEST:g} to {LARGEST:g}"
    return f"{rule}, got {prior.to_plain()!r}; choose another unit of brightness"


def as_prior(setting: float | Prior) -> Prior:
    """Return a setting as a prior."""
    return setting if isinstance(setting, Prior) else Fixed(setting)


def scale_of(name: str, grid: Grid) -> float:
    """Return the pixels of a condition's unit in a recipe, 1 for other conditions than lengths."""
    return float(grid.shorter) if CONDITIONS[name].role == "length" else 1.0


def stream_of(name: str) -> str:
    """Return the stream of a condition; no other number is of it."""
    return f"conditions.{name}"


def sample_conditions(
    priors: Mapping[str, Prior], grid: Grid, *, seed: int, index: Tensor
) -> dict[str, Tensor]:
    """Return the conditions of some rows, the same bits as the kernels of `native.scene` write.

    Args:
        priors: The prior of each condition, in the units of a recipe.
        grid: Pixels of the images.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By name, in pixels and radians, float32, shape (B,).
    """
    values = {}
    for name, prior in priors.items():
        u = rng.uniform(seed, (stream_of(name),), index, 1)[:, 0, 0]
        values[name] = (prior.icdf(u) * scale_of(name, grid)).float()
    return values


def of_images(values: Values, name: str, like: Tensor) -> Tensor:
    """Return a condition as (B, 1, 1), to meet the images `like`, with their dtype and device."""
    return per_pixel(values[name].to(like))


def middle(priors: Mapping[str, Prior], grid: Grid) -> dict[str, Tensor]:
    """Return the median of each condition, in pixels and radians, float32, shape (1,)."""
    half = torch.tensor([0.5], dtype=torch.float64, device="cpu")
    return {
        name: (prior.icdf(half) * scale_of(name, grid)).float() for name, prior in priors.items()
    }
