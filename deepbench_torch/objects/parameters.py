"""What an object's parameters are: their names, units and the values that make sense."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import real_tensor
from deepbench_torch.numerics.differentiation import alike, plain_values
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects.calls import check_call, doubt_degrees
from deepbench_torch.objects.grid import Grid, per_pixel
from deepbench_torch.priors import Choice, Fixed, Integer, Prior

T = TypeVar("T", bound=tuple[Tensor, ...])
V = TypeVar("V")

Constants = tuple[Tensor, ...]
Role = Literal["column", "row", "length", "angle", "brightness", "number"]

# The unit of each role in a generated scene, as files and plots show it
UNITS: dict[Role, str] = {
    "column": "pixel",
    "row": "pixel",
    "length": "pixel",
    "angle": "radian",
    "brightness": "brightness",
    "number": "",
}


class Parameter(NamedTuple):
    """One parameter of an object.

    Attributes:
        role: What it measures; decides its unit and how a recipe's fraction becomes pixels.
        prior: From what it is drawn where a recipe does not say; in the units of a recipe.
        above: Values must be larger than this, or equal to it if `closed`.
        below: Values must be smaller than this, or equal to it if `closed_below`.
        closed: Whether `above` itself makes sense.
        closed_below: Whether `below` itself makes sense; infinity too, where that is `below`.
        whole: Whether values must be whole numbers.
        remedy: What to do instead of a value out of range.
    """

    role: Role
    prior: Prior
    above: float = -math.inf
    below: float = math.inf
    closed: bool = False
    closed_below: bool = False
    whole: bool = False
    remedy: str = "set a value within that range"

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
        """Whether each value makes sense: bool, the shape of `values`; NaN never does."""
        enough = values >= self.above if self.closed else values > self.above
        allowed = enough & (values <= self.below if self.closed_below else values < self.below)
        return allowed & (values == values.round()) if self.whole else allowed


@dataclass(frozen=True, eq=False, repr=False)
class ObjectKind(Generic[T]):
    """A kind of object: its parameters and the formula of its light.

    Attributes:
        name: The kind, as recipes and files call it.
        fields: Its parameters by name, in order.
        record: The NamedTuple of its parameters, one tensor of shape (B,) each.
        constants: The formula's constants, shape (B,) each, from the parameters in order.
        light: The formula: brightness at columns and rows, from them and the constants. The same
            function works on tensors and, compiled, on the numbers of one pixel.
        edge: The brightness, shape (B,), at which each object of a record ends, for its mask.
        frame: From the parameters, the centre and half the sides of a box outside of which an
            object has no light [pixel]; None for a kind that shines everywhere.
    """

    name: str
    fields: Mapping[str, Parameter]
    record: Callable[..., T]
    constants: Callable[..., Constants]
    light: Callable[..., Tensor]
    edge: Callable[[T], Tensor]
    frame: Callable[..., Constants] | None = None

    def __post_init__(self) -> None:
        # help() of an object shows its own docstring
        object.__setattr__(self, "__doc__", describe(self))

    def __repr__(self) -> str:
        return f"ObjectKind({self.name!r}: {', '.join(self.fields)})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle an object of the public table by its name, so that it comes back itself."""
        from deepbench_torch.objects import OBJECTS, object_named

        if OBJECTS.get(self.name) is self:
            return object_named, (self.name,)
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in order."""
        return tuple(self.fields)

    @property
    def prior(self) -> dict[str, Prior]:
        """The default prior of each parameter, in the units of a recipe."""
        return {name: field.prior for name, field in self.fields.items()}

    @independent_of_settings
    def render(self, parameters: Mapping[str, Tensor] | T, grid: Grid) -> Tensor:
        """Draw each object alone on its own image.

        Args:
            parameters: Every parameter by name, or the kind's record: tensors of shape (B,), in
                pixels and radians.
            grid: Pixel centres of an H by W image.

        Returns:
            Images, shape (B, H, W), float dtype and device of the parameters; differentiable.

        Raises:
            TypeError: If the grid is no Grid, or the parameters have no names and no record.
            ValueError: If a parameter is missing, unknown, of another shape, or makes no sense.
        """
        check_call(self.name, parameters=parameters, grid=grid)
        return self.draw(self._checked(parameters), grid)

    def draw(self, record: T, grid: Grid) -> Tensor:
        """Return what `render` does, shape (B, H, W), without its checks.

        Args:
            record: The parameters, in the kind's record.
            grid: Pixel centres of an H by W image.
        """
        column, row = grid.centres(record[0])
        return self.light(column, row, *map(per_pixel, self.constants(*record)))

    def _checked(self, parameters: Mapping[str, Tensor] | T) -> T:
        if not isinstance(parameters, Mapping):
            parameters = dict(zip(self.fields, parameters, strict=True))
        self.check_names(parameters)
        values = {
            name: real_tensor(value, where=f"{self.name}.{name}")
            for name, value in self.in_units(parameters).items()
        }
        self._check_shapes({name: tuple(value.shape) for name, value in values.items()})
        for name, value in values.items():
            self.check(name, value)
        dtype = reduce(torch.promote_types, (value.dtype for value in values.values()))
        dtype = dtype if dtype.is_floating_point else torch.float32  # whole numbers alone
        converted = alike([value.to(dtype) for value in values.values()])
        return self.record(**dict(zip(values, converted, strict=True)))

    def in_units(self, parameters: Mapping[str, V]) -> dict[str, V]:
        """Return parameters in order, Quantities of astropy in pixels and radians.

        Args:
            parameters: Every parameter by name.

        Raises:
            ValueError: If the unit of a Quantity does not convert.
        """
        units = {name: self.fields[name].unit for name in self.fields}
        units = {name: "" if unit == "brightness" else unit for name, unit in units.items()}
        return in_units(self.name, {name: parameters[name] for name in self.fields}, units)

    def check_names(self, names: Iterable[str]) -> None:
        """Refuse names that are not exactly those of the parameters.

        Raises:
            ValueError: With what is missing and what is unknown.
        """
        missing, unknown = set(self.fields).difference(names), set(names).difference(self.fields)
        faults = [f"{self.name}.{name} is missing" for name in sorted(missing)]
        faults += [f"{self.name}.{name} is unknown" for name in sorted(unknown)]
        if faults:
            raise ValueError(
                f"{', '.join(faults)}; {self.name} takes exactly {', '.join(self.fields)}"
            )

    def _check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        common, count = Counter(shapes.values()).most_common(1)[0]
        for name, shape in shapes.items():
            if len(shape) != 1 or shape != common:
                raise ValueError(
                    f"{self.name}.{name} must have shape (B,) as every parameter, got {shape}, "
                    f"where {count} have {common}; for one object give tensors of one element"
                )

    def check(self, name: str, values: Tensor) -> None:
        """Refuse values of a parameter that make no sense, naming the first of them.

        Raises:
            ValueError: With the value, its place in the batch, the range and a remedy.
        """
        field, values = self.fields[name], plain_values(values)
        wrong = (~field.allows(values)).flatten().nonzero()
        if len(wrong):
            place = int(wrong[0])
            raise ValueError(
                f"{self.name}.{name} must be {field.range}, got "
                f"{float(values.flatten()[place]):g} in sample {place}; {field.remedy}"
            )
        if field.unit == "radian":
            doubt_degrees(f"{self.name}.{name}", values)

    def check_prior(self, name: str, prior: Prior) -> None:
        """Refuse a prior that can give values that make no sense.

        Raises:
            ValueError: With the prior's bounds, the range and a remedy.
        """
        check_prior(f"{self.name}.{name}", self.fields[name], prior)


def describe(kind: ObjectKind[Any]) -> str:
    """Return the help of a kind of object: its parameters with meaning, unit, range and prior."""
    record = kind.record.__doc__ or ""
    lines = [
        f"{kind.name}: an object that the package renders.",
        "",
        "Parameters of a scene [unit], the values allowed, and the default prior in a recipe,",
        "where positions are fractions of width and height, lengths of the image's shorter side:",
        "",
    ]
    for name, field in kind.fields.items():
        unit = f" [{field.unit}]" if field.unit in ("pixel", "radian") else ""
        meaning = meaning_of(name, record).removesuffix(".")
        meaning = meaning.removesuffix(unit).strip() or field.role
        lines.append(f"    {name}: {meaning}{unit}; {field.range}; prior {field.prior.to_plain()}")
    return "\n".join(
        [
            *lines,
            "",
            "render(parameters, grid) returns the images (B, H, W) of B objects, each parameter a",
            "tensor of shape (B,); prior has the default priors by name.",
        ]
    )


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
    """Values of a prior that fit a range only if all that it can give do: float64, any number."""
    ends = torch.tensor(prior.support, dtype=torch.float64, device="cpu")
    if isinstance(prior, Choice):
        values = torch.tensor(prior.values, dtype=torch.float64, device="cpu")
        return values[prior.contains(values)]
    # an end that is never given, open or infinite, gives way to the number next to it
    return torch.where(prior.contains(ends), ends, ends.nextafter(ends.flip(0)))
