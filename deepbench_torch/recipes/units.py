"""Units of the numbers in a recipe, by location, and their conversion to pixels."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from torch import Tensor

from deepbench_torch.degrade import EFFECTS
from deepbench_torch.numerics.checks import Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors.parameter import Role
from deepbench_torch.recipes.brightness import MAGNITUDE, fields_of
from deepbench_torch.recipes.plain import Unit, UnitAt, without_units
from deepbench_torch.systems import SYSTEMS

LENGTH = "lengths are fractions of the image's shorter side, so divide by its pixels"
FLUX = "flux is in brightness times the square of the image's shorter side"
UNITS: Mapping[Role, Unit] = {
    "column": Unit(remedy="positions are fractions of the width, so divide by its pixels"),
    "row": Unit(remedy="positions are fractions of the height, so divide by its pixels"),
    "length": Unit(remedy=LENGTH),
    "angle": Unit("radian"),
    "brightness": Unit(remedy="brightness has no unit here, so divide by that of the sky"),
    "flux": Unit(remedy=FLUX),
    "number": Unit(),
}


class PixelFrame(NamedTuple):
    """Conversion to pixels and radians: `scale` times the number of a recipe, plus `shift`.

    The generator rounds the result to single precision, to `largest` at most.
    """

    scale: float
    shift: float
    largest: float = math.inf

    def rounded(self, value: Tensor) -> Tensor:
        """Return values in pixels and radians as the generator rounds them, float32."""
        # single precision may round a value up to a bound that it must stay below
        return value.float().clamp_max(self.largest)


def pixel_frame(role: Role, grid: Grid) -> PixelFrame:
    """Return the conversion of a parameter to the pixels of a grid.

    Example:
        >>> pixel_frame("column", Grid(12, 20))
        PixelFrame(scale=20.0, shift=-0.5, largest=inf)
    """
    sizes: dict[Role, int] = {
        "column": grid.width,
        "row": grid.height,
        "length": grid.shorter,
        "flux": grid.shorter**2,
    }
    # the frame begins half a pixel before the first pixel centre
    return PixelFrame(float(sizes.get(role, 1)), -0.5 if role in ("column", "row") else 0.0)


@lru_cache(maxsize=1024)
def pixel_frames(kind: str, grid: Grid) -> dict[str, PixelFrame]:
    """Return the conversion of each parameter of a kind to the pixels of a grid."""
    fields = OBJECTS[kind].fields
    return {
        name: pixel_frame(field.role, grid)._replace(largest=field.largest)
        for name, field in fields.items()
    }


def image_unit(location: Location) -> Unit:
    """Return the unit of a number in a recipe of images.

    Example:
        >>> image_unit(("objects", "galaxy", "theta")).name
        'radian'
    """
    match location:
        case ("image", _):
            return Unit("pixel")
        case ("objects", kind, name, *_) | ("scene" | "simplify", _, kind, name, *_):
            field = fields_of(str(kind)).get(str(name)) if kind in OBJECTS else None
            if field is None:
                return Unit()
            return Unit("mag") if name == MAGNITUDE else UNITS[field.role]
        case ("zero_point",):
            return Unit("mag")
        case ("pixel_scale",):
            return Unit("arcsec / pixel")
        case ("degrade", "blur", "sigma"):
            return Unit(remedy=LENGTH)
        case ("degrade", "psf", key, field, *_) | ("degrade", key, field, *_):
            return _effect_unit(key, field)
    return Unit()


def _effect_unit(key: object, field: object) -> Unit:
    """Return the unit of a field of an effect."""
    for effect in EFFECTS:
        condition = effect.conditions.get(str(field)) if effect.key == key else None
        if condition is not None and condition.parameter.role == "length":
            return Unit(remedy=LENGTH)
        if condition is not None and condition.parameter.role == "angle":
            return Unit("radian")
    return Unit()


def series_units(system: object) -> UnitAt:
    """Return the function that returns the unit of a number in a recipe of time series.

    Args:
        system: Name of the system; if it is unknown, no number has a unit.
    """
    if not isinstance(system, str) or system not in SYSTEMS:
        return without_units
    definition = SYSTEMS[system]
    widest = {name: choices[-1] for name, choices in definition.options.items()}
    measured = {channel.quantity: channel.unit for channel in definition.channels(1, widest)}

    def unit_at(location: Location) -> Unit:
        match location:
            case ("parameters", name, *_) if name in definition.fields:
                return Unit(definition.fields[str(name)].unit)
            case ("noise", "measurement", name):
                return Unit(measured.get(str(name), ""))
            case ("time", "duration"):
                return Unit(definition.time_unit)
        return Unit()

    return unit_at
