"""Kinds of objects: their parameters, and the formula of their light."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import real_tensor
from deepbench_torch.numerics.differentiation import alike, plain_values
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects.calls import check_call, doubt_degrees
from deepbench_torch.objects.grid import Grid, per_pixel
from deepbench_torch.priors import Prior
from deepbench_torch.priors.parameter import Parameter, check_prior, meaning_of, plain_unit

T = TypeVar("T", bound=tuple[Tensor, ...])
V = TypeVar("V")

Constants = tuple[Tensor, ...]


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
        flux: From the parameters in order, float64, the total light of each object, shape (B,)
            [brightness pixel^2]; None for a kind without a formula of it. See `photometry`.
        fwhm: From the same, the full width at half maximum along the major axis, shape (B,)
            [pixel]; None for a kind that has none.
    """

    name: str
    fields: Mapping[str, Parameter]
    record: Callable[..., T]
    constants: Callable[..., Constants]
    light: Callable[..., Tensor]
    edge: Callable[[T], Tensor]
    frame: Callable[..., Constants] | None = None
    flux: Callable[..., Tensor] | None = None
    fwhm: Callable[..., Tensor] | None = None

    def __post_init__(self) -> None:
        # help() of an object shows its own docstring
        object.__setattr__(self, "__doc__", describe(self))

    def __repr__(self) -> str:
        return f"ObjectKind({self.name!r}: {', '.join(self.fields)})"

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
        """Render each object alone on its own image.

        Args:
            parameters: Every parameter by name, or the kind's record: tensors of shape (B,), in
                pixels and radians.
            grid: Pixel centres of an H by W image.

        Returns:
            Images, shape (B, H, W), float dtype and device of the parameters; differentiable.

        Raises:
            TypeError: If the grid is no Grid, or the parameters have no names and no record.
            ValueError: If a parameter is missing, unknown, of another shape, or is out of range.
        """
        check_call(self.name, parameters=parameters, grid=grid)
        return self.render_unchecked(self._checked(parameters), grid)

    def render_unchecked(self, record: T, grid: Grid) -> Tensor:
        """Return what `render` does, shape (B, H, W), without its checks.

        Args:
            record: The parameters, in the kind's record.
            grid: Pixel centres of an H by W image.
        """
        column, row = grid.centres(record[0])
        constants = [per_pixel(values) for values in self.constants(*record)]
        if grid.samples == 1:
            return self.light(column, row, *constants)
        light = [
            self.light(column + across, row + down, *constants) * weight
            for across, down, weight in grid.points()
        ]
        return reduce(torch.add, light)

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
        units = {name: plain_unit(unit) for name, unit in units.items()}
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
        """Refuse values of a parameter that are out of range, naming the first of them.

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
        """Refuse a prior that can give values that are out of range.

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
