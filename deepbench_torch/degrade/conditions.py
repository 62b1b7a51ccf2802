"""Conditions of an exposure: numbers that may differ from image to image, set by effects."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from torch import Tensor

from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.numerics.quantities import plain_number
from deepbench_torch.objects.grid import per_pixel
from deepbench_torch.priors import Fixed, Prior, prior_from_plain
from deepbench_torch.priors.parameter import Parameter, prior_fault

LARGEST = 1e9  # of a condition; the smallest is its inverse
LARGER = "write a larger number"


class Condition(NamedTuple):
    """One number of an effect.

    Attributes:
        name: Its name in `sample.conditions` and in files.
        parameter: The quantity that it measures and its range; its prior is an example.
        card: Keyword of a FITS header, 8 letters at most.
        comment: Its meaning, for that header.
    """

    name: str
    parameter: Parameter
    card: str
    comment: str


Values: TypeAlias = Mapping[str, Tensor]
"""Conditions by name, one value an image: float32, shape (B,)."""


def _plain(setting: float | Prior) -> object:
    return setting.to_plain() if isinstance(setting, Prior) else setting


Setting = Annotated[float | Prior, PlainSerializer(_plain), WithJsonSchema({})]


class Effect(BaseModel):
    """Base of all effects: each of its numbers is a number or a prior.

    Attributes:
        key: The key of the effect in a recipe.
        conditions: The condition that each field sets, by field.
    """

    # an infinite number stays a number in JSON
    model_config = ConfigDict(arbitrary_types_allowed=True, ser_json_inf_nan="constants")

    key: ClassVar[str]
    conditions: ClassVar[Mapping[str, Condition]]

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        """Return a number as float and everything else as the prior that it describes."""
        condition = cls.conditions.get(str(info.field_name))
        if condition is None or value is None:
            return value
        number = plain_number(value)
        if isinstance(number, float) and not math.isfinite(number):
            message = f"expected a finite number, got {number}; write a number without nan and inf"
            raise FaultsError([Fault((), message)])
        prior = prior_from_plain(number)
        fault = prior_fault(condition.parameter, prior) or _extreme_fault(prior)
        if fault is not None:
            raise FaultsError([Fault((), fault)])
        return prior.at if isinstance(prior, Fixed) else prior

    @property
    def priors(self) -> dict[str, Prior]:
        """The prior of each condition that is set, by name."""
        fields = {each.name: getattr(self, field) for field, each in self.conditions.items()}
        return {name: as_prior(value) for name, value in fields.items() if value is not None}


def _extreme_fault(prior: Prior) -> str | None:
    """Return the fault of a prior if single precision cannot hold its ends, or their squares."""
    sizes = [abs(end) for end in prior.support if end and math.isfinite(end)]
    if all(1 / LARGEST <= size <= LARGEST for size in sizes):
        return None
    rule = f"expected sizes from {1 / LARGEST:g} to {LARGEST:g}"
    return f"{rule}, got {prior.to_plain()!r}; choose another unit of brightness"


def as_prior(setting: float | Prior) -> Prior:
    """Return a setting as a prior."""
    return setting if isinstance(setting, Prior) else Fixed(setting)


def of_images(values: Values, name: str, like: Tensor) -> Tensor:
    """Return a condition as (B, 1, 1), to meet the images `like`, with their dtype and device."""
    return per_pixel(values[name].to(like))
